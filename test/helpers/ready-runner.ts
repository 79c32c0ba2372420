/** A runner that prepares reapers and is then killed: `node ready-runner.ts <count>`. Says when they are ready. */
import { createExecutor } from '../../src/adapters/executor/index.ts';

const executor = createExecutor({
  stopGraceMs: 500,
  containment: 'auto',
  required: null,
  ready: Number(process.argv[2]),
});
executor.prepare();
const limits = { memoryBytes: null, processes: null, fileBytes: null, openFiles: null };
// What was taken is ready, and so are those that were asked for before it.
const enclosure = await executor.open({ runId: 'READY', limits, terminal: false });
process.stdout.write(`${JSON.stringify(enclosure.containment)}\n`);
setInterval(() => {}, 1000);
