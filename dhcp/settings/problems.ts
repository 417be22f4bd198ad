import type * as z from 'zod';

/** What is wrong with one field: `field` as written in the settings (`dns.servers[1]`), `sentence` for whoever wrote it. */
export interface SettingsProblem {
  readonly field: string;
  readonly sentence: string;
}

/**
 * Validation issues as sentences that begin with the field they are about. Of a parse with `reportInput`, or what is missing is not told
 * from what is wrong.
 *
 * @param one what a field is called that there is not, as in `is not a guest setting`
 * @param whole what all of it is called, where no field is to blame
 */
export function problemsOf(issues: readonly z.core.$ZodIssue[], one: string, whole: string): SettingsProblem[] {
  const problem = (path: readonly PropertyKey[], complaint: string): SettingsProblem => {
    const field = fieldName(path);
    return { field, sentence: `${field || whole}: ${complaint}` };
  };
  return issues.flatMap((issue) =>
    issue.code === 'unrecognized_keys'
      ? issue.keys.map((key) => problem([...issue.path, key], `is not a ${one}`))
      : [problem(issue.path, complaint(issue))],
  );
}

/** `['dns', 'servers', 1]` → `dns.servers[1]` */
function fieldName(path: readonly PropertyKey[]): string {
  return path.reduce<string>(
    (name, part) => (typeof part === 'number' ? `${name}[${part}]` : name ? `${name}.${String(part)}` : String(part)),
    '',
  );
}

function complaint(issue: Exclude<z.core.$ZodIssue, z.core.$ZodIssueUnrecognizedKeys>): string {
  switch (issue.code) {
    case 'invalid_type':
      return `must be ${nameOfType(issue.expected)}${'input' in issue && issue.input === undefined ? ', and is missing' : ''}`;
    case 'invalid_value':
      return `must be one of ${issue.values.map(String).join(', ')}`;
    case 'too_small':
      if (issue.origin === 'array')
        return `must have at least ${issue.minimum} ${issue.minimum === 1 ? 'entry' : 'entries'}`;
      return issue.origin === 'string' ? 'must not be empty' : `must be at least ${issue.minimum}`;
    case 'too_big':
      return issue.origin === 'array'
        ? `must have at most ${issue.maximum} entries`
        : `must be at most ${issue.maximum}`;
    default:
      return issue.message;
  }
}

function nameOfType(expected: string): string {
  const names: Record<string, string> = {
    int: 'a whole number',
    number: 'a whole number',
    boolean: 'true or false',
    array: 'a list',
  };
  return names[expected] ?? (expected === 'object' ? 'a set of fields' : `a ${expected}`);
}
