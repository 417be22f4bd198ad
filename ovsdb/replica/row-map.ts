import type { Row } from './row-shape.ts';

const partCount = 16;

/**
 * Rows by UUID. A `Map` of several hundred thousand entries stops the world for tens of milliseconds whenever it doubles, so the rows are spread over several
 * small ones by a digit of the UUID.
 */
export class RowMap implements ReadonlyMap<string, Row> {
  readonly #parts: readonly Map<string, Row>[] = Array.from({ length: partCount }, () => new Map());
  /** Where UUIDs differ whatever made them: the last digit of their first group. */
  readonly #digit = 7;

  get size(): number {
    let size = 0;
    for (const part of this.#parts) size += part.size;
    return size;
  }

  get(uuid: string): Row | undefined {
    return this.#part(uuid)?.get(uuid);
  }

  has(uuid: string): boolean {
    return this.#part(uuid)?.has(uuid) ?? false;
  }

  set(uuid: string, row: Row): void {
    this.#part(uuid)?.set(uuid, row);
  }

  delete(uuid: string): void {
    this.#part(uuid)?.delete(uuid);
  }

  forEach(visit: (row: Row, uuid: string, rows: ReadonlyMap<string, Row>) => void, thisArg?: unknown): void {
    for (const [uuid, row] of this) visit.call(thisArg, row, uuid, this);
  }

  *entries(): MapIterator<[string, Row]> {
    for (const part of this.#parts) yield* part;
  }

  *keys(): MapIterator<string> {
    for (const part of this.#parts) yield* part.keys();
  }

  *values(): MapIterator<Row> {
    for (const part of this.#parts) yield* part.values();
  }

  [Symbol.iterator](): MapIterator<[string, Row]> {
    return this.entries();
  }

  #part(uuid: string): Map<string, Row> | undefined {
    return this.#parts[uuid.charCodeAt(this.#digit) % partCount || 0];
  }
}
