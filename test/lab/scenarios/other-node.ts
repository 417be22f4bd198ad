import type { Lab } from '../lab.ts';

/** The node after this one. */
export function otherNode(lab: Lab, node: string): string {
  const names = lab.workers.map(({ name }) => name);
  return names[(names.indexOf(node) + 1) % names.length] ?? node;
}
