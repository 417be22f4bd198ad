import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { play } from './play.ts';
import { Printer } from './print.ts';
import { BadRecording, parseRecording } from './recording.ts';
import { parseObjects } from './surroundings.ts';

export interface Output {
  out(line: string): void;
  err(line: string): void;
}

const usage = 'usage: npm run replay -- FILE.jsonl [--coalesce SEED] [--restart-at SEQ] [--json OUT] [--objects FILE]';

/** Returns the exit code: 0, 1 when a file is not what it should be (one line says why), 2 when the command line is not. */
export async function run(args: readonly string[], { out, err }: Output): Promise<number> {
  const options = optionsOf(args);
  if (options === undefined) {
    err(usage);
    return 2;
  }
  const { file, json, objects, coalesceSeed, restartAt } = options;
  try {
    const events = inFile(file, parseRecording);
    const printer = new Printer(events, out);
    const played = await play(
      {
        events,
        ...(objects !== undefined && { objects: inFile(objects, parseObjects) }),
        ...(coalesceSeed !== undefined && { coalesceSeed }),
        ...(restartAt !== undefined && { restartAt }),
      },
      (step) => printer.step(step),
      (remark) => printer.remark(remark),
    );
    if (json !== undefined) writeFileSync(json, `${JSON.stringify(played, null, 1)}\n`);
    return 0;
  } catch (error) {
    if (!(error instanceof BadRecording || isSystemError(error))) throw error;
    err(`replay: ${error.message}`);
    return 1;
  }
}

interface Options {
  readonly file: string;
  readonly json: string | undefined;
  readonly objects: string | undefined;
  readonly coalesceSeed: number | undefined;
  readonly restartAt: number | undefined;
}

function optionsOf(args: readonly string[]): Options | undefined {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        coalesce: { type: 'string' },
        'restart-at': { type: 'string' },
        json: { type: 'string' },
        objects: { type: 'string' },
      },
    });
    const [file, ...others] = positionals;
    const coalesceSeed = integerOf(values.coalesce);
    const restartAt = integerOf(values['restart-at']);
    if (file === undefined || others.length > 0 || Number.isNaN(coalesceSeed) || Number.isNaN(restartAt))
      return undefined;
    return { file, json: values.json, objects: values.objects, coalesceSeed, restartAt };
  } catch {
    return undefined;
  }
}

function integerOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  return /^-?\d+$/.test(text) ? Number(text) : Number.NaN;
}

function inFile<T>(path: string, parse: (text: string) => T): T {
  try {
    return parse(readFileSync(path, 'utf8'));
  } catch (error) {
    if (error instanceof BadRecording) throw new BadRecording(`${path}: ${error.message}`);
    throw error;
  }
}

/** What `node:fs` throws; its message names the file. */
function isSystemError(error: unknown): error is Error {
  return error instanceof Error && 'syscall' in error;
}
