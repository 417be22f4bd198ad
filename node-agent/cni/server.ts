import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { callerGone } from '../caller-gone.ts';
import type { Run } from '../commands.ts';
import { Busy, CalledOff, OneAtATime } from '../one-at-a-time.ts';
import { SocketExposed } from '../socket-access.ts';
import { type AddContext, add } from './add.ts';
import { check } from './check.ts';
import { del } from './del.ts';
import { CniError, cniErrorCodes, errorAnswer } from './error.ts';
import { staleAttachments } from './gc.ts';
import { type Attachment, type CniRequest, parseRequest } from './request.ts';
import type { CniResult } from './result.ts';
import { type NodeHealth, statusProblem } from './status.ts';

export interface CniContext extends AddContext {
  readonly health: () => NodeHealth;
  /** Told of every request that was answered; code 0 is success. */
  readonly onRequest?: (verb: string, code: number, seconds: number) => void;
}

/**
 * `POST /cni`: what the plugin executable passes on. The answer's body is what the plugin prints; status 200 means that it
 * succeeds, any other that it fails.
 */
export function serveCni(app: FastifyInstance, context: CniContext): void {
  const attachments = new OneAtATime();
  const run: Run = context.plumbing.run;

  const remove = (attachment: Parameters<typeof del>[0]): Promise<void> =>
    attachments.takeAway(nameOf(attachment), () => del(attachment, { bridge: context.bridge, run }));

  async function perform(request: CniRequest, gone: AbortSignal): Promise<CniResult | undefined> {
    switch (request.verb) {
      case 'ADD':
        return await attachments.make(nameOf(request), gone, (signal) => add(request, context, signal));
      case 'DEL':
        await remove(request);
        return undefined;
      case 'CHECK':
        await check(request, { bridge: context.bridge, run });
        return undefined;
      case 'GC':
        for (const stale of staleAttachments(request, context.bridge.ports())) {
          if (!attachments.isBusy(nameOf(stale))) await remove(stale);
        }
        return undefined;
      case 'STATUS': {
        const problem = statusProblem(context.health());
        if (problem) throw problem;
        return undefined;
      }
    }
  }

  // Also what is refused before the handler runs is printed by the plugin, and so has to be in the specification's form.
  const errorHandler = (error: unknown, _: FastifyRequest, reply: FastifyReply): void => {
    void reply.code(500).send(errorAnswer(asCniError(error), '1.1.0'));
  };
  app.post('/cni', { errorHandler }, async (httpRequest, reply) => {
    const started = performance.now();
    const call = pluginCall.parse(httpRequest.body);
    const { CNI_COMMAND: verb = '', CNI_CONTAINERID: container, CNI_IFNAME: interfaceName } = call.env;
    const log = httpRequest.log.child({ verb, container, interface: interfaceName });
    try {
      const result = await perform(parseRequest(call), callerGone(reply.raw));
      const seconds = (performance.now() - started) / 1000;
      context.onRequest?.(verb, 0, seconds);
      log.info({ seconds }, 'CNI request served');
      return await reply.code(200).send(result ?? '');
    } catch (error) {
      const refusal = asCniError(error);
      context.onRequest?.(verb, refusal.code, (performance.now() - started) / 1000);
      log.warn({ err: refusal }, 'CNI request failed');
      return await reply.code(500).send(errorAnswer(refusal, versionOf(call.stdin)));
    }
  });
}

const pluginCall = z.object({ env: z.record(z.string(), z.string()), stdin: z.string() });

function asCniError(error: unknown): CniError {
  if (error instanceof CniError) return error;
  if (error instanceof Busy || error instanceof CalledOff || error instanceof SocketExposed) {
    return new CniError(cniErrorCodes.tryAgainLater, error.message, { cause: error });
  }
  return new CniError(cniErrorCodes.plumbingFailed, `node agent: ${error}`, { cause: error });
}

/** The version to answer in, also when the request itself could not be read. */
function versionOf(stdin: string): string {
  try {
    return z.object({ cniVersion: z.string() }).parse(JSON.parse(stdin)).cniVersion;
  } catch {
    return '1.1.0';
  }
}

function nameOf({ containerId, interfaceName }: Pick<Attachment, 'containerId' | 'interfaceName'>): string {
  return `${interfaceName} of container ${containerId}`;
}
