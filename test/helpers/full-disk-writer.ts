/**
 * Ends two runs on a disk that is full but for some pages: `node full-disk-writer.ts <ledger> <pages>`. Says how they are
 * listed then.
 */
import { ftruncateSync, openSync, statSync, writeSync } from 'node:fs';
import path from 'node:path';
import { messageOf } from '../../src/core/failures.ts';
import { openSqliteLedger } from '../../src/adapters/ledger/sqlite.ts';
import { DOCUMENT, interruptionOf, OWNER, queuedRun, REAPER, recordRun, resultOf, runIdOf, timeOf } from './records.ts';

const [file = '', pages = '0'] = process.argv.slice(2);
const before = openSqliteLedger(file);
for (let n = 10; n < 20; n += 1) await recordRun(before, n);
before.close();

const ledger = openSqliteLedger(file);
for (const n of [1, 2]) {
  await ledger.enqueue(queuedRun(n), OWNER, DOCUMENT);
  await ledger.begin(runIdOf(n), { startedAt: timeOf(n), containment: REAPER }, null);
}
const name = path.join(path.dirname(file), 'fill');
const fill = openSync(name, 'w');
for (let bytes = 1024 ** 2; bytes >= 1;) {
  try {
    writeSync(fill, Buffer.alloc(bytes));
  } catch {
    bytes = Math.floor(bytes / 2);
  }
}
ftruncateSync(fill, statSync(name).size - Number(pages) * 4096);
const failed = (error: unknown): void => {
  console.error(messageOf(error));
};
await ledger.finish(runIdOf(1), resultOf(1)).catch(failed);
await ledger.interrupt(runIdOf(2), interruptionOf(2)).catch(failed);
const states = await Promise.all([1, 2].map(async (n) => (await ledger.get(runIdOf(n)))?.state));
console.log(states.join(' '));
