/** Entries of a document that are not in its file: it cannot be written, or runs are recorded in the ledger only. */
import { renderEntry } from '../core/history/document-entry.ts';
import type { LoadedDocument } from '../core/ports.ts';
import type { StoredRun } from '../core/run.ts';
import { entryOf } from './entry.ts';
import type { EnginePorts } from './ports.ts';

/** The newest ones; `runbook history` has them all. */
const MAX_ENTRIES = 50;

/** Of these refusals: who may not run it must not be able to push the runs out. */
const MAX_REFUSALS = 10;

/** Folders that Kubernetes makes anew at each change of a ConfigMap: `..2026_11_22_10_00_00.123456/` */
const REVISION = /\/\.\.\d{4}_[^/]+(?=\/)/g;

/** Whether it is of a ConfigMap: such a document changes its path with its text. */
export function hasRevision(path: string): boolean {
  return withoutRevision(path) !== path;
}

function withoutRevision(path: string): string {
  return path.replaceAll(REVISION, '');
}

/** Of the document, newest first, also from before its ConfigMap was changed. @param path absolute, links resolved */
export async function runsOf(
  { ledger }: Pick<EnginePorts, 'ledger'>,
  path: string,
  limit: number,
  outcomes?: readonly string[],
): Promise<readonly StoredRun[]> {
  const wanted = { limit, ...(outcomes === undefined ? {} : { outcomes }) };
  const place = withoutRevision(path);
  if (place === path) return await ledger.list({ ...wanted, path });
  const runbook = path.slice(path.lastIndexOf('/') + 1).replace(/\.md$/, '');
  const runs = await ledger.list({ ...wanted, runbook });
  return runs.filter(({ runbook: { path: recorded } }) => recorded !== null && withoutRevision(recorded) === place);
}

/** Rendered, in the order of the runs; empty where there are none. */
export async function entriesBesides(
  ports: Pick<EnginePorts, 'ledger' | 'output'>,
  { path }: Pick<LoadedDocument, 'path'>,
): Promise<string> {
  const { ledger } = ports;
  const runs = await shownRuns(ports, path);
  const texts: string[] = [];
  for (const run of runs.toReversed()) {
    if (run.historyMode !== 'ledger' && !(await ledger.isEntryPending(run.runId))) continue;
    const entry = await entryOf(ports, run);
    if (entry !== null) texts.push(renderEntry(entry));
  }
  return texts.join('\n');
}

/** Newest first. */
async function shownRuns(ports: Pick<EnginePorts, 'ledger'>, path: string): Promise<readonly StoredRun[]> {
  const newest = await runsOf(ports, path, MAX_ENTRIES);
  const refused = newest.filter(({ state }) => state === 'refused');
  if (refused.length <= MAX_REFUSALS) return newest;
  const ended = await runsOf(ports, path, MAX_ENTRIES, ['finished', 'interrupted']);
  return [...ended, ...refused.slice(0, MAX_REFUSALS)].toSorted((a, b) => b.seq - a.seq).slice(0, MAX_ENTRIES);
}
