/** A file of a hundred thousand guests may be wrong in every line. */
const shownProblems = 20;

/** The user's configuration, or command line, is wrong; `problems` are sentences that begin with the field. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    const hidden = problems.length - shownProblems;
    super([...problems.slice(0, shownProblems), ...(hidden > 0 ? [`… and ${hidden} more`] : [])].join('\n'));
    this.problems = problems;
  }
}
