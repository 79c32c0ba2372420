/** A process of its own that opens a ledger and closes it: `node ledger-opening-writer.ts <ledger>`; says what is in the way. */
import { RunbookError } from '../../src/core/errors.ts';
import { openSqliteLedger } from '../../src/adapters/ledger/sqlite.ts';

const [path = ''] = process.argv.slice(2);
try {
  openSqliteLedger(path).close();
} catch (error) {
  if (!(error instanceof RunbookError)) throw error;
  process.stdout.write(`${error.code}: ${error.message} ${error.fix}\n`);
  process.exitCode = 1;
}
