/**
 * A process of its own that changes a ledger in every way there is: `node marking-writer.ts <ledger> <elsewhere>`. Before each
 * change it writes its name to stdout, and `end` behind the last, so that whoever traces it sees what belongs to which.
 */
import { copyFileSync, writeSync } from 'node:fs';
import { openSqliteLedger } from '../../src/adapters/ledger/sqlite.ts';
import {
  DOCUMENT,
  interruptionOf,
  operationOf,
  OWNER,
  queuedRun,
  REAPER,
  recordRun,
  resultOf,
  runIdOf,
  timeOf,
} from './records.ts';

const [path = '', elsewhere = ''] = process.argv.slice(2);
const ledger = openSqliteLedger(path);
await recordRun(ledger, 1);
for (const n of [2, 3]) await ledger.enqueue(queuedRun(n), OWNER, DOCUMENT);
const refusal = { code: 'forbidden', message: 'The token lacks the role.' } as const;
const progress = { step: 0, of: 1, name: 'Script', at: timeOf(1) };

const changes: Readonly<Record<string, () => Promise<unknown>>> = {
  enqueue: async () => await ledger.enqueue(queuedRun(4), OWNER, DOCUMENT),
  begin: async () => await ledger.begin(runIdOf(4), { startedAt: timeOf(4), containment: REAPER }, null),
  progress: async () => await ledger.progress(runIdOf(4), progress),
  renewLease: async () => await ledger.renewLease(runIdOf(4), timeOf(99)),
  finish: async () => await ledger.finish(runIdOf(4), resultOf(4)),
  interrupt: async () => await ledger.interrupt(runIdOf(2), interruptionOf(2)),
  refuse: async () => await ledger.refuse(queuedRun(5, { state: 'refused', refusal }), DOCUMENT, OWNER),
  cancel: async () => await ledger.requestCancel(runIdOf(3), operationOf(1, 'cancel', { run: runIdOf(3) })),
  pause: async () => await ledger.pause(operationOf(2, 'pause')),
  resume: async () => await ledger.resume(operationOf(3, 'resume')),
  prune: async () => await ledger.prune([runIdOf(1)], operationOf(4, 'prune')),
};
for (const [name, change] of Object.entries(changes)) {
  writeSync(1, `${name}\n`);
  await change();
}
writeSync(1, 'nothing\n');
ledger.close();
copyFileSync(path, elsewhere);
const copy = openSqliteLedger(elsewhere);
// The first write of all syncs the head of the log, whatever it is.
await copy.progress(runIdOf(3), progress);
writeSync(1, 'move\n');
await copy.moveIn(operationOf(5, 'move'), 'It was copied.');
writeSync(1, 'end\n');
copy.close();
