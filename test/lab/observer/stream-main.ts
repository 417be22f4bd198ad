import { connect } from 'node:net';
import { patternBytes, wrongBytes } from './stream-pattern.ts';

// `node stream-main.ts ADDRESS PORT INTERVAL_MS BYTES`: the client of `stream.ts`, for the pod's network namespace. Sends
// BYTES every INTERVAL_MS and checks the echo. Writes a JSON line (`ClientLine` there) for every piece of echo, and one
// for whatever arrives on standard input; it ends with that.
const [address = '', port, intervalMs, bytes] = process.argv.slice(2);

let [sent, received] = [0, 0];
const say = (more: object) => process.stdout.write(`${JSON.stringify({ at: Date.now(), sent, received, ...more })}\n`);

const socket = connect({ host: address, port: Number(port), noDelay: true });
socket.once('connect', () => {
  say({ connected: true });
  setInterval(() => {
    socket.write(patternBytes(sent, Number(bytes)));
    sent += Number(bytes);
  }, Number(intervalMs));
});
socket.on('data', (chunk: Buffer) => {
  const wrong = wrongBytes(received, chunk);
  received += chunk.length;
  say({ wrong });
});
socket.once('error', (error) => end({ broken: error.message }));
socket.once('end', () => end({ broken: 'the server closed the connection' }));
process.stdin.on('data', () => say({ asked: true }));
process.stdin.once('end', () => end({}));

function end(why: object): void {
  say(why);
  process.exit();
}
