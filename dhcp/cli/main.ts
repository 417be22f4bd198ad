import { parseArgs } from 'node:util';
import { TransportError } from '../transport/transport.ts';
import { agentOffer } from './agent-offer.ts';
import { ConfigError } from './config-error.ts';
import { offer } from './offer.ts';
import { probe } from './probe.ts';
import { serve } from './serve.ts';

const usage = `usage:
  npm run dhcp -- serve --config FILE              answer the guests FILE names
  npm run dhcp -- probe --interface X [--mac M]    ask a segment what it offers (--netns N, --seconds S)
  npm run dhcp -- probe --config FILE --mac M      what would our server, as FILE configures it, offer M?
  npm run dhcp -- probe --agent SOCKET --vm NS/NAME[/NIC]  what would the VM be offered on that agent's node?`;

const say = (line: string): void => console.log(line);
try {
  await run(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof ConfigError || error instanceof TransportError)) throw error;
  console.error(`dhcp: ${error.message.replaceAll('\n', '\ndhcp: ')}`);
  process.exitCode = 1;
}

async function run(words: readonly string[]): Promise<void> {
  const read = parsed(words);
  if (typeof read === 'string') return misused(read);
  const { values, positionals } = read;
  const [command, ...more] = positionals;
  const { agent, config, interface: device, mac, netns, vm } = values;
  if (more.length > 0) return misused(`${more.join(' ')} is too much`);
  if (command === 'serve' && config !== undefined) return await serve(config, say);
  if (command !== 'probe') return misused();
  if (config !== undefined && mac !== undefined) return say(await offer(config, mac));
  if (agent !== undefined && vm !== undefined) return say(await agentOffer(agent, vm));
  if (device === undefined) return misused();
  const seconds = Number(values.seconds ?? 4);
  if (!(seconds > 0 && seconds <= 3600)) throw new ConfigError([`--seconds: ${values.seconds} is not 1 to 3600`]);
  const place = { device, seconds, ...(mac !== undefined && { mac }), ...(netns !== undefined && { netns }) };
  say(await probe(place));
}

/** The options by their names, or what is wrong with the words. */
function parsed(words: readonly string[]) {
  const text = { type: 'string' } as const;
  const options = { agent: text, config: text, interface: text, mac: text, netns: text, seconds: text, vm: text };
  try {
    return parseArgs({ args: [...words], allowPositionals: true, options });
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return error.message;
  }
}

function misused(why?: string): void {
  console.error(why === undefined ? usage : `dhcp: ${why}\n${usage}`);
  process.exitCode = 2;
}
