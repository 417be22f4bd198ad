import { once } from 'node:events';
import { connect } from 'node:net';

// Runs in a pod: `echo-client.ts HOST BYTES SECONDS` sends BYTES to port 7, waits until all of it is back, and again; prints the
// round trips in microseconds as a JSON array.

const [host = '', bytes = '64', seconds = '1'] = process.argv.slice(2);
const message = Buffer.alloc(Number(bytes), 'x');
const socket = connect(7, host);
socket.setNoDelay(true);
await once(socket, 'connect');

let received = 0;
let turn = Promise.withResolvers<void>();
socket.on('data', ({ length }) => {
  received += length;
  if (received >= message.length) turn.resolve();
});
socket.on('close', () => turn.reject(new Error('the guest closed the connection')));

const roundTripsUs: number[] = [];
const end = performance.now() + Number(seconds) * 1000;
while (performance.now() < end) {
  received = 0;
  turn = Promise.withResolvers<void>();
  const sent = performance.now();
  socket.write(message);
  await turn.promise;
  roundTripsUs.push(Math.round((performance.now() - sent) * 1000));
}
console.log(JSON.stringify(roundTripsUs));
process.exit(0);
