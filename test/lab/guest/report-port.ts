import { randomUUID } from 'node:crypto';
import { connect } from 'node:net';
import { type GuestReport, parseGuestReport } from './report.ts';

/**
 * Asks the guest behind a serial port what it sees of its network.
 *
 * @param socketPath unix socket of the QEMU that runs the guest now (`Machine.reportSocket`)
 * @param options `until`: ask again until a report satisfies this, as a guest that boots will in a while
 * @throws GuestSilent when no such report came within `timeoutMs` (180,000 when absent), or when QEMU has gone
 */
export async function askGuest(
  socketPath: string,
  options: { until?: (report: GuestReport) => boolean; timeoutMs?: number } = {},
): Promise<GuestReport> {
  const { until = () => true, timeoutMs = 180_000 } = options;
  const answer = Promise.withResolvers<GuestReport>();
  const socket = connect(socketPath).setEncoding('utf8');
  let nonce = '';
  const ask = (): void => {
    nonce = randomUUID();
    socket.write(`report ${nonce}\n`);
  };
  let last: GuestReport | undefined;
  let unread = '';
  socket.on('connect', ask);
  socket.on('error', (error) => answer.reject(new GuestSilent(`${socketPath}: ${error.message}`, last)));
  socket.on('close', () => answer.reject(new GuestSilent(`${socketPath} was closed`, last)));
  socket.on('data', (text: string) => {
    const lines = (unread + text).split('\n');
    unread = lines.pop() ?? '';
    for (const line of lines) {
      if (!line.startsWith(`{"nonce":"${nonce}`)) continue;
      last = parseGuestReport(line);
      if (until(last)) answer.resolve(last);
      else ask();
    }
  });
  // The port has no flow control: a question is lost when the guest does not listen yet, or moves just then.
  const askAgain = setInterval(ask, 3000);
  const tooLate = setTimeout(
    () => answer.reject(new GuestSilent(`${socketPath}: no such report within ${timeoutMs} ms`, last)),
    timeoutMs,
  );
  try {
    return await answer.promise;
  } finally {
    clearInterval(askAgain);
    clearTimeout(tooLate);
    socket.destroy();
  }
}

/** The guest did not answer, or not as hoped for: it boots, has stopped, or its QEMU is gone. */
export class GuestSilent extends Error {
  override readonly name = 'GuestSilent';
  /** The last report that came, if any. */
  readonly last: GuestReport | undefined;

  constructor(message: string, last: GuestReport | undefined) {
    super(last === undefined ? message : `${message}; the last one: ${JSON.stringify({ ...last, log: undefined })}`);
    this.last = last;
  }
}
