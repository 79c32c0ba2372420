/**
 * A process that holds the write lock of a ledger: `node lock-holder.ts <ledger> <milliseconds>`. Says `held`; lets go so
 * long after it was sent a line.
 */
import Database from 'better-sqlite3';

const [path = '', milliseconds = '0'] = process.argv.slice(2);
const db = new Database(path);
db.exec('BEGIN IMMEDIATE');
process.stdout.write('held\n');
process.stdin.once('data', () => {
  setTimeout(() => {
    db.exec('COMMIT');
    process.exit(0);
  }, Number(milliseconds));
});
