import { parseArgs } from 'node:util';
import { prepare } from './prepare.ts';
import { SetUpError } from './set-up-error.ts';

// `node test/setup/main.ts [--ovn VERSION]`: set-up by itself.
const { values } = parseArgs({ options: { ovn: { type: 'string' } } });
try {
  await prepare({ ...values, log: console.log });
} catch (error) {
  if (!(error instanceof SetUpError)) throw error;
  console.error(`hawser: ${error.message}`);
  process.exitCode = 1;
}
