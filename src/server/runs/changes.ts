/** What all runs come to, told to whoever listens: out of the ledger, so that runs of every process are among them. */
import type { RunChange, RunLedger } from '../../core/ports.ts';
import type { StoredRun } from '../../core/run.ts';
import { sleep } from '../../engine/wait.ts';
import type { Reader } from './reader.ts';

/** How often the ledger is asked whether there is anything new, which takes microseconds. */
const LOOK_MS = 250;
const PAGE = 100;

/**
 * Resolves when the reader is gone. The id of an event is its number in the ledger.
 * @param from number of the last change that it has; null: from now on
 * @throws RunbookError of the ledger
 */
export async function tellChanges(
  ledger: Pick<RunLedger, 'get' | 'changesAfter' | 'lastChange'>,
  reader: Reader,
  from: number | null,
  isFor: (run: StoredRun) => Promise<boolean>,
): Promise<void> {
  let told = from ?? (await ledger.lastChange());
  let seen = -1;
  while (!reader.gone.aborted) {
    const last = await ledger.lastChange();
    if (last === seen) {
      await sleep(LOOK_MS, reader.gone);
      continue;
    }
    seen = last;
    for (let found = await ledger.changesAfter(told, PAGE); found.length > 0;) {
      for (const change of found) {
        const run = await ledger.get(change.runId);
        if (run !== null && (await isFor(run)) && !reader.tell(textOf(change, run))) return;
        told = change.seq;
      }
      await reader.drained();
      found = found.length < PAGE ? [] : await ledger.changesAfter(told, PAGE);
    }
  }
}

function textOf({ seq, runId, state, at }: RunChange, { runbook, result }: StoredRun): string {
  const outcome = state === 'finished' ? (result?.outcome ?? null) : null;
  const data = { run_id: runId, runbook: runbook.name, state, outcome, at };
  return `id: ${seq}\nevent: run\ndata: ${JSON.stringify(data)}\n\n`;
}
