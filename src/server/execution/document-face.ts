/** `Accept: application/json`: one document when the run has ended, whatever it came to. */
import { RunbookError } from '../../core/errors.ts';
import type { Identity } from '../../core/ports.ts';
import { identityOf, isAdmin } from '../access.ts';
import type { ServerContext } from '../context.ts';
import { problemOf } from '../problem.ts';
import { answerRefusal } from '../refusals.ts';
import { runFor } from '../runs/resource.ts';
import { createDocumentStream, documentPieces } from './document.ts';
import type { DocumentStream } from './document.ts';
import { textHeaders } from './events-face.ts';
import type { Call, Face } from './face.ts';

export function createDocumentFace({ context, request, reply, read, signals }: Call): Face {
  const { found } = read;
  const stream = createDocumentStream(reply.raw, () => textHeaders(reply), signals.stop);
  let runId: string | null = null;
  const open = (): void => {
    if (stream.isOpen) return;
    reply.hijack();
    stream.open();
  };
  return {
    hear: (event) => {
      if (event.type === 'queued') {
        ({ runId } = event);
        reply.header('x-run-id', runId);
      } else if (event.type === 'started' || event.type === 'waiting') open();
    },
    end: async (result) => {
      // Also a run that was ended before it began.
      open();
      await sendRun(context, identityOf(request), stream, result.runId);
    },
    fail: async (error) => {
      if (!stream.isOpen || runId === null) {
        await answerRefusal(context, request, reply, { operation: 'execute', found }, error);
        return;
      }
      context.log.error({ correlationId: request.id, runId, err: error }, 'A run could not be carried to its end');
      await sendRun(context, identityOf(request), stream, runId, error);
    },
  };
}

/** @param failure why its end could not be recorded */
export async function sendRun(
  context: Pick<ServerContext, 'engine' | 'settings'>,
  identity: Identity,
  stream: DocumentStream,
  runId: string,
  failure: unknown = null,
): Promise<void> {
  const { engine } = context;
  const run = await engine.ledger.get(runId);
  if (run === null) throw new RunbookError('io', `Run ${runId} is not in the ledger any more.`, { fix: 'Look there.' });
  const kept = { runId, kept: engine.output, dropped: run.result?.output.dropped ?? 0 };
  const told = runFor(run, isAdmin(context, identity));
  await stream.send(documentPieces(told, kept, failure === null ? null : problemOf(failure)));
}
