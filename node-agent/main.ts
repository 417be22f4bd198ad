import { mkdir, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';
import { pino } from 'pino';
import { type Agent, createAgent } from './agent.ts';
import { type Config, ConfigError, readConfig } from './config.ts';

async function main(config: Config): Promise<void> {
  const log = pino({ level: config.logLevel });
  const agent = createAgent(config, log);
  const end = () => void agent[Symbol.asyncDispose]();
  process.once('SIGTERM', end);
  process.once('SIGINT', end);
  // Serving starts before the databases are there: STATUS then says what is missing, and ADD waits for it.
  await listen(agent, config.socket);
  log.info({ socket: config.socket, node: config.nodeName }, 'node agent serves');
  await agent.start();
}

/** Only root may connect: whoever can plug a port is on the network of its owner. */
async function listen({ app }: Agent, socket: string): Promise<void> {
  await mkdir(dirname(socket), { recursive: true, mode: 0o700 });
  await rm(socket, { force: true }); // left behind by a kill -9
  const before = process.umask(0o177);
  try {
    await app.listen({ path: socket });
  } finally {
    process.umask(before);
  }
}

const { values } = parseArgs({ options: { config: { type: 'string' } } });
try {
  if (!values.config) throw new ConfigError('usage: main.ts --config FILE');
  await main(await readConfig(values.config));
} catch (error) {
  if (!(error instanceof ConfigError)) throw error;
  console.error(`hawser node agent: ${error.message}`);
  process.exitCode = 1;
}
