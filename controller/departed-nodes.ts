import type { OvsdbClient } from '#ovsdb/client.ts';
import { ovnSouthbound } from '#ovsdb/schemas/ovn-southbound.ts';
import type { Key } from './engine/table.ts';
import { nodeOfPort } from './features/node-ports.ts';
import type { Tables } from './features/tables.ts';

export interface DepartedNodesOptions {
  readonly tables: Pick<Tables, 'nodes'>;
  readonly southbound: Pick<OvsdbClient, 'transact'>;
  readonly sleep: (milliseconds: number) => Promise<void>;
  /** Whether this controller leads. */
  readonly mayWrite: () => boolean;
  /** Told when a chassis was removed, or could not be: then it is tried again. */
  readonly onOutcome: (node: string, outcome: 'removed' | { readonly failed: unknown }) => void;
}

const retryMilliseconds = 5000;

/**
 * Removes the chassis of a node that has been deleted. ovn-controller does that itself when it is stopped properly; of a machine that is
 * just gone the rows would stay, with a tunnel to it on every other node. One that is still there makes its chassis anew. Chassis that
 * never were a node are left alone: which were is told by the ports we gave them (features/node-ports.ts).
 */
export class DepartedNodes {
  readonly #options: DepartedNodesOptions;
  readonly #departed = new Set<string>();
  #isStarted = false;

  constructor(options: DepartedNodesOptions) {
    this.#options = options;
    options.tables.nodes.onChange((node) => this.#look(node));
  }

  /** From now on it writes. @param ports the logical switch ports of ours that the northbound database has. */
  start(ports: Iterable<Key>): void {
    this.#isStarted = true;
    for (const port of ports) {
      const node = nodeOfPort(port);
      if (node !== undefined) this.#look(node);
    }
  }

  #look(node: string): void {
    if (this.#options.tables.nodes.get(node) !== undefined) this.#departed.delete(node);
    else if (this.#isStarted && !this.#departed.has(node)) {
      this.#departed.add(node);
      void this.#remove(node);
    }
  }

  async #remove(node: string): Promise<void> {
    const { southbound, sleep, mayWrite, onOutcome } = this.#options;
    while (this.#departed.has(node) && mayWrite()) {
      try {
        const where = [['name', '==', node]] as const;
        const outcome = await southbound.transact(ovnSouthbound, [
          { op: 'delete', table: 'Chassis', where },
          { op: 'delete', table: 'Chassis_Private', where },
        ]);
        if (outcome.status === 'committed') {
          this.#departed.delete(node);
          if (outcome.results[0].count > 0) onOutcome(node, 'removed');
          return;
        }
        onOutcome(node, { failed: outcome.status === 'refused' ? outcome.error : outcome.cause });
      } catch (failed) {
        onOutcome(node, { failed });
      }
      await sleep(retryMilliseconds);
    }
  }
}
