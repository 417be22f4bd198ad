import { createServer, type Server, type Socket } from 'node:net';
import { z } from 'zod';
import { CallerGone } from '../caller-gone.ts';
import type { PluginCall } from './request.ts';

/** What the plugin does with its call: status 0 is success. */
export interface PluginAnswer {
  readonly status: 0 | 1;
  readonly printed: string;
}

/**
 * Answers the plugin, which speaks through ovs-appctl(8): one JSON-RPC request on a connection, `cni` with the `CNI_` variables as
 * `NAME=value` and the standard input last; the result is what to print, and in a last line the status.
 * @param answer never rejects; its signal is aborted when the runtime has ended the plugin.
 */
export function createPluginServer(answer: (call: PluginCall, gone: AbortSignal) => Promise<PluginAnswer>): Server {
  return createServer((socket) => {
    const gone = new AbortController();
    let received = '';
    let isAsked = false;
    socket.setEncoding('utf8');
    socket.on('error', () => {}); // 'close' follows.
    socket.on('close', () => gone.abort(new CallerGone()));
    socket.on('data', (text: string) => {
      received += text;
      if (isAsked || received.length > longestRequest) return void socket.destroy();
      const message = whole(received);
      if (message === undefined) return;
      isAsked = true;
      void serve(socket, message, (call) => answer(call, gone.signal));
    });
  });
}

async function serve(
  socket: Socket,
  message: unknown,
  answer: (call: PluginCall) => Promise<PluginAnswer>,
): Promise<void> {
  const request = cniRequest.safeParse(message);
  if (!request.success) {
    const id = z.object({ id: z.unknown() }).safeParse(message).data?.id ?? null;
    const error = 'cni NAME=value... STDIN is all that is answered here\n';
    socket.end(JSON.stringify({ id, result: null, error }));
    return;
  }
  const { id, params } = request.data;
  const pairs = params.slice(0, -1).map((pair): [string, string] => {
    const [name = '', ...value] = pair.split('=');
    return [name, value.join('=')];
  });
  const { status, printed } = await answer({ env: Object.fromEntries(pairs), stdin: params.at(-1) ?? '' });
  socket.end(JSON.stringify({ id, result: `${printed}\n${status}`, error: null }));
}

/** There is exactly one request, so whatever parses is all of it. */
function whole(text: string): unknown {
  if (!text.endsWith('}')) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const cniRequest = z.object({ id: z.unknown(), method: z.literal('cni'), params: z.array(z.string()).min(1) });

/** Characters; eight arguments are at most a megabyte. */
const longestRequest = 2 ** 20;
