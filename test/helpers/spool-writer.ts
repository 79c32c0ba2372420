/**
 * A process of its own that writes to a spool: `node spool-writer.ts <state folder> <run id> <bytes> <cap>`.
 * It prints the summary and the failure as JSON.
 */
import { createSpool } from '../../src/adapters/output/spool.ts';

const [stateDir = '', runId = '', bytes = '0', cap = '0'] = process.argv.slice(2);
const spool = createSpool(stateDir).open(runId, Number(cap));
const line = Buffer.alloc(1000, 'x');
for (let written = 0; written < Number(bytes); written += line.length) spool.write(0, 'stdout', line);
const summary = spool.close();
process.stdout.write(JSON.stringify({ summary, failure: spool.failure?.message ?? null, code: spool.failure?.code }));
