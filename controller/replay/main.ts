import { run } from './run.ts';

// `npm run replay -- FILE.jsonl …`: what the controller makes of a recorded stream of events, with no server at all.
process.exitCode = await run(process.argv.slice(2), { out: console.log, err: console.error });
