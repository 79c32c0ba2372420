/** A state folder, a folder for work folders and a document, and what looks after runs there: all of it real. */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { createMarkdownHistory } from '../../src/adapters/document-history/markdown-file.ts';
import { createExecutor } from '../../src/adapters/executor/index.ts';
import { openSqliteLedger } from '../../src/adapters/ledger/sqlite.ts';
import { createSpool } from '../../src/adapters/output/spool.ts';
import { systemClock } from '../../src/adapters/system/clock.ts';
import { createOwners } from '../../src/adapters/system/owner.ts';
import { createWorkspace } from '../../src/adapters/workspace/temporary.ts';
import type { RunOwner, RunRecord } from '../../src/core/run.ts';
import type { RecoveryPorts } from '../../src/engine/recover.ts';
import { DOCUMENT, queuedRun, REAPER, runIdOf, sha256, timeOf } from './records.ts';

const owners = createOwners();

/** This process could look at it, and it is not there. */
export const DEAD: RunOwner = { ...owners.current, pid: 1, startTime: 'never' };
export const ALIVE = owners.current;

export function recoveryPorts(folder: string): RecoveryPorts {
  const stateDir = path.join(folder, 'state');
  const scratch = path.join(folder, 'scratch');
  mkdirSync(scratch, { recursive: true });
  const isGone = (owner: RunOwner, leaseUntil: string | null): boolean =>
    owners.whyGone(owner, leaseUntil, systemClock.now()) !== null;
  return {
    ledger: openSqliteLedger(path.join(stateDir, 'ledger.sqlite'), isGone),
    output: createSpool(stateDir),
    documentHistory: createMarkdownHistory({ ci: false }),
    workspace: createWorkspace({ parent: scratch, mountDir: null }),
    executor: createExecutor({ stopGraceMs: 500, containment: 'process-group', required: null }),
    owners,
    clock: systemClock,
  };
}

export const documentOf = (folder: string, name = 'Restart'): string => path.join(folder, `${name}.md`);

/** Run number `n` as far as it came before its owner died: with a work folder, and output where it had begun. */
export async function leftRun(
  { ledger, workspace, output }: RecoveryPorts,
  folder: string,
  n: number,
  wish: {
    readonly state?: 'queued' | 'started';
    readonly owner?: RunOwner;
    readonly leaseUntil?: string;
    readonly document?: string;
  } & Partial<RunRecord> = {},
): Promise<string> {
  const { state = 'started', owner = DEAD, leaseUntil, document, ...change } = wish;
  const runId = runIdOf(n);
  const runbook = { name: document ?? 'Restart', digest: sha256(DOCUMENT), path: documentOf(folder, document) };
  await ledger.enqueue(queuedRun(n, { historyMode: 'file', runbook, ...change }), owner, DOCUMENT, leaseUntil);
  const workFolder = await workspace.create(runId, folder, [], new AbortController().signal);
  writeFileSync(path.join(workFolder.path, 'result'), 'half');
  await workFolder.controlFile('1-script.sh', 'echo a secret');
  if (state === 'queued') return runId;
  await ledger.begin(runId, { startedAt: timeOf(n), containment: REAPER }, null);
  await ledger.progress(runId, { step: 1, of: 3, name: 'Drain', at: timeOf(n) });
  // As a runner leaves it that is killed: without its end.
  output.open(runId, 1000).write(0, 'stdout', Buffer.from(`output of ${n}\n`));
  return runId;
}
