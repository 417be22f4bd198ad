import { parseArgs } from 'node:util';
import { TransportError } from '../transport/transport.ts';
import { agentOffer } from './agent-offer.ts';
import { ConfigError } from './config.ts';
import { offer } from './offer.ts';
import { probe } from './probe.ts';
import { serve } from './serve.ts';

const usage = `usage:
  npm run dhcp -- serve --config FILE              answer the guests FILE names
  npm run dhcp -- probe --interface X [--mac M]    ask a segment what it offers (--netns N, --seconds S)
  npm run dhcp -- probe --config FILE --mac M      what would our server, as FILE configures it, offer M?
  npm run dhcp -- probe --agent SOCKET --vm NS/NAME  what would the VM be offered on that agent's node?`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    agent: { type: 'string' },
    config: { type: 'string' },
    interface: { type: 'string' },
    mac: { type: 'string' },
    netns: { type: 'string' },
    seconds: { type: 'string' },
    vm: { type: 'string' },
  },
});

const say = (line: string): void => console.log(line);
try {
  const [command] = positionals;
  const { agent, config, mac, netns, vm } = values;
  if (command === 'serve' && config !== undefined) await serve(config, say);
  else if (command === 'probe' && config !== undefined && mac !== undefined) say(await offer(config, mac));
  else if (command === 'probe' && agent !== undefined && vm !== undefined) say(await agentOffer(agent, vm));
  else if (command === 'probe' && values.interface !== undefined) {
    const seconds = Number(values.seconds ?? 4);
    say(
      await probe({
        device: values.interface,
        seconds,
        ...(mac !== undefined && { mac }),
        ...(netns !== undefined && { netns }),
      }),
    );
  } else {
    console.error(usage);
    process.exitCode = 2;
  }
} catch (error) {
  if (!(error instanceof ConfigError || error instanceof TransportError)) throw error;
  console.error(`dhcp: ${error.message.replaceAll('\n', '\ndhcp: ')}`);
  process.exitCode = 1;
}
