/** A process of its own that records runs: `node ledger-writer.ts <ledger> <first number> <how many>`. */
import { openSqliteLedger } from '../../src/adapters/ledger/sqlite.ts';
import { RunbookError } from '../../src/core/errors.ts';
import { DOCUMENT, OWNER, queuedRun, REAPER, resultOf, runIdOf, timeOf } from './records.ts';

const [path = '', first = '0', count = '0'] = process.argv.slice(2);
const ledger = openSqliteLedger(path);

/** SQLite lets nobody stand in line, so on a busy machine one of several writers may come to nothing for seconds. */
async function untilFree(transition: () => Promise<unknown>): Promise<void> {
  for (;;) {
    try {
      await transition();
      return;
    } catch (error) {
      if (!(error instanceof RunbookError) || error.code !== 'busy') throw error;
    }
  }
}

for (let n = Number(first); n < Number(first) + Number(count); n += 1) {
  await untilFree(() => ledger.enqueue(queuedRun(n), OWNER, DOCUMENT));
  await untilFree(() => ledger.begin(runIdOf(n), { startedAt: timeOf(n), containment: REAPER }, null));
  await untilFree(() => ledger.finish(runIdOf(n), resultOf(n)));
}
ledger.close();
