/** One run as a JSON document: what `history RUN --json` prints and a file of `--record` holds. */
import type { RunLedger, RunOutput } from '../core/ports.ts';
import { cancelsOf } from '../engine/cancel.ts';
import { lookAtOutput } from '../engine/kept-output.ts';
import type { OutputLook } from '../engine/kept-output.ts';
import type { KeptRecord } from '../engine/record.ts';
import { keptTexts } from './output.ts';
import { toldRun } from '../core/told-run.ts';

export interface RunDocument {
  readonly document: Readonly<Record<string, unknown>>;
  readonly look: OutputLook;
}

/** @throws RunbookError of the ledger; an output that cannot be read is part of the document */
export async function documentOf(
  { ledger, output }: { readonly ledger: RunLedger; readonly output: RunOutput },
  run: KeptRecord,
): Promise<RunDocument> {
  const { runId, result, seq } = run;
  const look = await lookAtOutput({ ledger, output }, run);
  const { problem, intact } = look;
  const cancels = await cancelsOf(ledger, run);
  const answers = await ledger.answersOf(run.runId);
  const document = {
    run: toldRun(run),
    output:
      problem?.name === 'unreadable'
        ? null
        : { ...keptTexts(output, runId), dropped: result?.output.dropped ?? 0, intact },
    outputProblem: problem,
    cancels: cancels.map(({ operationId, at, who, reason }) => ({ operationId, at, who, reason })),
    answers: answers.map(({ operationId, at, who, answer }) => Object.assign({ operationId, at, who }, answer)),
    entryPending: await ledger.isEntryPending(runId),
    recorded: seq !== null,
  };
  return { document, look };
}
