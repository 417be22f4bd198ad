import type { LabelRequirement, LabelSelector } from '../kube/objects/network.ts';

export type Labels = Readonly<Record<string, string>>;

export function selects({ matchLabels, matchExpressions }: LabelSelector, labels: Labels): boolean {
  return (
    Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
    matchExpressions.every((requirement) => isMet(requirement, labels))
  );
}

/** A label key and a value of it, or `anyValue`. */
export interface LabelPlace {
  readonly key: string;
  readonly value: string;
}

/**
 * Where a selector is filed so that those it selects find it: every object it selects looks into at least one of these places, and
 * few that it does not select do. It is the most telling of its requirements, so all places are of one key; only a selector that merely
 * excludes is filed for everybody.
 */
export function filedUnder({ matchLabels, matchExpressions }: LabelSelector): {
  readonly key: string;
  readonly values: readonly string[];
} {
  const [label] = Object.entries(matchLabels).sort(([a], [b]) => (a < b ? -1 : 1));
  if (label !== undefined) return { key: label[0], values: [label[1]] };
  const oneOf = matchExpressions.find(({ operator }) => operator === 'In');
  if (oneOf !== undefined) return { key: oneOf.key, values: [...new Set(oneOf.values)] };
  const exists = matchExpressions.find(({ operator }) => operator === 'Exists');
  return { key: exists?.key ?? everybody.key, values: [anyValue] };
}

/** Where an object with these labels finds all selectors that may select it. */
export function placesToLook(labels: Labels): readonly LabelPlace[] {
  const places = [everybody];
  for (const [key, value] of Object.entries(labels)) places.push({ key, value }, { key, value: anyValue });
  return places;
}

/** The same text for selectors that say the same. */
export function canonical({ matchLabels, matchExpressions }: LabelSelector): string {
  const terms = [
    ...Object.entries(matchLabels).map(([key, value]) => pairPlace(key, value)),
    ...matchExpressions.map(({ key, operator, values }) =>
      operator === 'In' && values.length === 1
        ? pairPlace(key, values[0] ?? '')
        : `${key} ${operator} ${[...new Set(values)].sort().join(',')}`,
    ),
  ];
  return [...new Set(terms)].sort().join(';');
}

/** No label has this value (Kubernetes: letters, digits, `-`, `_` and `.`). */
const anyValue = '*';
const everybody: LabelPlace = { key: '', value: anyValue };

function pairPlace(key: string, value: string): string {
  return `${key}=${value}`;
}

function isMet({ key, operator, values }: LabelRequirement, labels: Labels): boolean {
  const value = labels[key];
  switch (operator) {
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
  }
}
