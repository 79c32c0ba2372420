/** A process of its own that records runs: `node ledger-writer.ts <ledger> <first number> <how many>`. */
import { openSqliteLedger } from '../../src/adapters/ledger/sqlite.ts';
import { DOCUMENT, OWNER, queuedRun, REAPER, resultOf, runIdOf, timeOf } from './records.ts';

const [path = '', first = '0', count = '0'] = process.argv.slice(2);
const ledger = openSqliteLedger(path);
for (let n = Number(first); n < Number(first) + Number(count); n += 1) {
  await ledger.enqueue(queuedRun(n), OWNER, DOCUMENT);
  await ledger.begin(runIdOf(n), { startedAt: timeOf(n), containment: REAPER }, null);
  await ledger.finish(runIdOf(n), resultOf(n));
}
ledger.close();
