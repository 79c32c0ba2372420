/** A process of its own that audits a ledger, or does nothing: `node audit-walker.ts <ledger> [nothing]`; prints what it took. */
import { openLedgerView } from '../../src/adapters/ledger/view.ts';
import { auditRecord } from '../../src/engine/audit.ts';

const [path = '', nothing] = process.argv.slice(2);
const view = openLedgerView(path, true);
const report = nothing === undefined ? auditRecord(view, []) : null;
view.close();
process.stdout.write(
  JSON.stringify({
    records: report?.records,
    findings: report?.findings.length,
    last: report?.last,
    maxRssBytes: process.resourceUsage().maxRSS * 1024,
  }),
);
