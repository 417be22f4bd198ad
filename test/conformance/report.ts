/** What a run of the upstream suite came to. */
export interface ConformanceResult {
  readonly passed: readonly string[];
  readonly failed: readonly string[];
  /** How many specs were not selected, or did not apply. */
  readonly skipped: number;
}

/**
 * Reads a report of ginkgo's `--json-report`: an array of suites, each with `SpecReports`. A set-up of the suite that fails is a failed
 * spec of its own; one that passes is none.
 *
 * @throws Error when it is not such a report.
 */
export function conformanceResult(report: unknown): ConformanceResult {
  const specs = list(report).flatMap((suite) => list(member(suite, 'SpecReports')));
  const passed: string[] = [];
  const failed: string[] = [];
  let skipped = 0;
  for (const spec of specs) {
    const [state, kind] = [member(spec, 'State'), member(spec, 'LeafNodeType')];
    if (state === 'skipped' || state === 'pending') skipped += 1;
    else if (state !== 'passed') failed.push(nameOf(spec));
    else if (kind === 'It') passed.push(nameOf(spec));
  }
  return { passed, failed, skipped };
}

/** What runs of different specs of one suite came to. */
export function merged(results: readonly ConformanceResult[]): ConformanceResult {
  const passed = results.flatMap((result) => result.passed);
  const failed = results.flatMap((result) => result.failed);
  const [first] = results;
  const all = first === undefined ? 0 : first.passed.length + first.failed.length + first.skipped;
  return { passed, failed, skipped: Math.max(0, all - passed.length - failed.length) };
}

function nameOf(spec: unknown): string {
  const texts = [...list(member(spec, 'ContainerHierarchyTexts') ?? []), member(spec, 'LeafNodeText')];
  const name = texts.filter((text) => typeof text === 'string' && text !== '').join(' ');
  return name === '' ? String(member(spec, 'LeafNodeType')) : name;
}

function list(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw new Error('this is not a report of ginkgo');
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}
