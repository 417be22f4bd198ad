import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';

/**
 * Types a line at the root shell on a guest's console and waits until it has run.
 * @param consoleSocket `Machine.consoleSocket`.
 * @returns what was on the terminal meanwhile: the line itself, as it was echoed, and what the command printed.
 * @throws Error with that when its status was not 0, or when it took longer than `timeoutMs`.
 */
export async function typeAndWait(consoleSocket: string, line: string, timeoutMs = 30_000): Promise<string> {
  const socket = connect(consoleSocket).setEncoding('utf8');
  await once(socket, 'connect');
  const mark = randomUUID();
  // The echo of the line has `$?` where what it prints has a number.
  const end = new RegExp(`${mark} (\\d+)`);
  const ended = Promise.withResolvers<string>();
  let seen = '';
  socket.on('data', (text: string) => {
    seen += text;
    const [, status] = end.exec(seen) ?? [];
    if (status === '0') ended.resolve(seen);
    else if (status !== undefined) ended.reject(new Error(`"${line}" in the guest: ${seen}`));
  });
  socket.on('close', () => ended.reject(new Error(`the console was closed: ${seen}`)));
  const tooLate = setTimeout(
    () => ended.reject(new Error(`"${line}" in the guest takes too long: ${seen}`)),
    timeoutMs,
  );
  try {
    socket.write(`${line}; echo ${mark} $?\n`);
    return await ended.promise;
  } finally {
    clearTimeout(tooLate);
    socket.destroy();
  }
}
