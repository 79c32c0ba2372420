/** Entries of a document that are not in its file: it cannot be written, or runs are recorded in the ledger only. */
import { renderEntry } from '../core/history/document-entry.ts';
import type { LoadedDocument } from '../core/ports.ts';
import { entryOf } from './entry.ts';
import type { EnginePorts } from './ports.ts';

/** The newest ones; `runbook history` has them all. */
const MAX_ENTRIES = 50;

/** Rendered, in the order of the runs; empty where there are none. */
export async function entriesBesides(
  ports: Pick<EnginePorts, 'ledger' | 'output'>,
  { path }: Pick<LoadedDocument, 'path'>,
): Promise<string> {
  const { ledger } = ports;
  const runs = await ledger.list({ path, limit: MAX_ENTRIES });
  const texts: string[] = [];
  for (const run of runs.toReversed()) {
    if (run.historyMode !== 'ledger' && !(await ledger.isEntryPending(run.runId))) continue;
    const entry = await entryOf(ports, run);
    if (entry !== null) texts.push(renderEntry(entry));
  }
  return texts.join('\n');
}
