import { parseArgs } from 'node:util';
import { pino } from 'pino';
import { createAgent } from './agent.ts';
import { type Config, ConfigError, readConfig } from './config.ts';
import { SocketExposed } from './socket-access.ts';

async function main(config: Config): Promise<void> {
  const log = pino({ level: config.logLevel });
  const agent = createAgent(config, log);
  const end = () => void agent[Symbol.asyncDispose]();
  process.once('SIGTERM', end);
  process.once('SIGINT', end);
  // Serving starts before the databases are there: STATUS then says what is missing, and ADD waits for it.
  await agent.listen();
  log.info({ socket: config.socket, node: config.nodeName }, 'node agent serves');
  await agent.start();
}

const { values } = parseArgs({ options: { config: { type: 'string' } } });
try {
  if (!values.config) throw new ConfigError('usage: main.ts --config FILE');
  await main(await readConfig(values.config));
} catch (error) {
  if (!(error instanceof ConfigError || error instanceof SocketExposed)) throw error;
  console.error(`hawser node agent: ${error.message}`);
  process.exitCode = 1;
}
