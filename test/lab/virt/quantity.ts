/**
 * A Kubernetes quantity of bytes: `128Mi`, `1Gi`, `0`. Decimal suffixes and fractions are not needed here.
 * @throws Error when it is something else
 */
export function bytesOf(quantity: string): number {
  const [, digits, suffix = ''] = /^(\d+)(\D*)$/.exec(quantity) ?? [];
  const factor = factors.get(suffix);
  if (digits === undefined || factor === undefined) throw new Error(`${quantity} is not bytes in Ki, Mi or Gi`);
  return Number(digits) * factor;
}

const factors = new Map([
  ['', 1],
  ['Ki', 2 ** 10],
  ['Mi', 2 ** 20],
  ['Gi', 2 ** 30],
]);
