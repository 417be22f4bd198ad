import { run } from './run.ts';

// `npm run ovsdb -- monitor|transact|dump …`: a database to look at and poke with.
const stop = new AbortController();
process.on('SIGINT', () => stop.abort());
process.on('SIGTERM', () => stop.abort());
// The reader of a pipe went away: there is nobody to print for.
process.stdout.on('error', () => stop.abort());
process.exitCode = await run(process.argv.slice(2), { out: console.log, err: console.error, signal: stop.signal });
