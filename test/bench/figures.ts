/** One line of a benchmark: what was measured, beside what others reach in the same run. */
export interface Figure {
  readonly figure: string;
  readonly unit: string;
  readonly ours: number;
  /** The same figure of other programs on the same data. */
  readonly peers: Readonly<Record<string, number>>;
  /** What the hardware or the other end allows: no program can do better. */
  readonly limit?: number | undefined;
  /** What ours must reach. */
  readonly bar?: number | undefined;
  readonly ok?: boolean | undefined;
  /** What the numbers alone do not say, such as why there is no bar. */
  readonly note?: string | undefined;
}
