import type * as z from 'zod';
import type { SettingsProblem } from '../settings.ts';

/** Validation issues as sentences that begin with the field they are about. */
export function problemsOf(issues: readonly z.core.$ZodIssue[]): SettingsProblem[] {
  return issues.flatMap((issue) => {
    const field = fieldName(issue.path);
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => problem(fieldName([...issue.path, key]), 'is not a guest setting'));
    }
    return [problem(field, complaint(issue))];
  });
}

function problem(field: string, complaint: string): SettingsProblem {
  return { field, sentence: `${field || 'guest settings'}: ${complaint}` };
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
      return `must be ${nameOfType(issue.expected)}`;
    case 'invalid_value':
      return `must be one of ${issue.values.map(String).join(', ')}`;
    case 'too_small':
      return `must be at least ${issue.minimum}`;
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
