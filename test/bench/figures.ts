/** One line of a benchmark: what was measured, beside what others reach in the same run. */
export interface Figure {
  readonly figure: string;
  readonly unit: string;
  readonly ours: number;
  /** The same figure of other programs on the same data. */
  readonly peers: Readonly<Record<string, number>>;
  /** What the hardware or the other end allows: no program can do better. */
  readonly limit?: number | undefined;
  /** What ours must reach, in words; absent where a figure is only reported. */
  readonly bar?: string | undefined;
  readonly ok?: boolean | undefined;
  /** What the numbers alone do not say, such as why there is no bar. */
  readonly note?: string | undefined;
}

/** @param of what the bar is made of, such as `0.7 × Kea's` */
export function mustBeAtMost(
  ours: number,
  most: number,
  unit: string,
  of?: string,
): Required<Pick<Figure, 'bar' | 'ok'>> {
  return { bar: inWords('≤', most, unit, of), ok: ours <= most };
}

/** @param of as for `mustBeAtMost` */
export function mustBeAtLeast(
  ours: number,
  least: number,
  unit: string,
  of?: string,
): Required<Pick<Figure, 'bar' | 'ok'>> {
  return { bar: inWords('≥', least, unit, of), ok: ours >= least };
}

/** With as many digits as say something. */
export function shown(value: number): string {
  return Math.abs(value) >= 1_000 ? Math.round(value).toLocaleString('en') : String(Number(value.toPrecision(4)));
}

function inWords(sign: string, value: number, unit: string, of?: string): string {
  return `${sign} ${shown(value)}${unit && ` ${unit}`}${of === undefined ? '' : `, ${of}`}`;
}
