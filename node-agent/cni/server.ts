import type { Logger } from 'pino';
import { z } from 'zod';
import type { Run } from '../commands.ts';
import { Busy, CalledOff, OneAtATime } from '../one-at-a-time.ts';
import { SocketExposed } from '../socket-access.ts';
import { type AddContext, add } from './add.ts';
import { check } from './check.ts';
import { del } from './del.ts';
import { CniError, cniErrorCodes, errorAnswer } from './error.ts';
import { staleAttachments } from './gc.ts';
import type { PluginAnswer } from './plugin-server.ts';
import { type Attachment, type CniRequest, type PluginCall, parseRequest } from './request.ts';
import type { CniResult } from './result.ts';
import { type NodeHealth, statusProblem } from './status.ts';

export interface CniContext extends AddContext {
  readonly health: () => NodeHealth;
  /** @throws SocketExposed when others than root could have asked. */
  readonly checkAccess: () => Promise<void>;
  readonly log: Logger;
  /** Told of every request that was answered; code 0 is success. */
  readonly onRequest?: (verb: string, code: number, seconds: number) => void;
}

/** @returns what answers the plugin's calls, in the form of the specification whatever happens. */
export function cniServer(context: CniContext): (call: PluginCall, gone: AbortSignal) => Promise<PluginAnswer> {
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

  return async (call, gone) => {
    const started = performance.now();
    const { CNI_COMMAND: verb = '', CNI_CONTAINERID: container, CNI_IFNAME: interfaceName } = call.env;
    const log = context.log.child({ verb, container, interface: interfaceName });
    try {
      await context.checkAccess();
      const result = await perform(parseRequest(call), gone);
      const seconds = (performance.now() - started) / 1000;
      context.onRequest?.(verb, 0, seconds);
      log.info({ seconds }, 'CNI request served');
      return { status: 0, printed: result === undefined ? '' : JSON.stringify(result) };
    } catch (error) {
      const refusal = asCniError(error);
      context.onRequest?.(verb, refusal.code, (performance.now() - started) / 1000);
      log.warn({ err: refusal }, 'CNI request failed');
      return { status: 1, printed: JSON.stringify(errorAnswer(refusal, versionOf(call.stdin))) };
    }
  };
}

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
