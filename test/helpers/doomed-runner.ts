/**
 * A runner that is there to be killed: `node doomed-runner.ts <run id> <folder> <rung> <script>`. Prints what its
 * processes live in, as JSON, then carries the script out.
 */
import { createExecutor } from '../../src/adapters/executor/index.ts';
import { RUNG_OPTIONS } from './executor.ts';

const [runId = '', folder = '', rung = '', script = ''] = process.argv.slice(2);
const options = RUNG_OPTIONS.find(([name]) => name === rung)?.[1];
if (options === undefined) throw new TypeError(`there is no rung ${rung} here`);
const limits = { memoryBytes: null, processes: null, fileBytes: null, openFiles: null };
const executor = createExecutor(options);
if (options.ready !== undefined) executor.prepare();
const enclosure = await executor.open({ runId, limits, terminal: false });
process.stdout.write(`${JSON.stringify(enclosure.containment)}\n`);
const never = new AbortController().signal;
await enclosure.execute(
  {
    runId,
    argv: ['/bin/bash', '-c', script],
    cwd: folder,
    env: { PATH: process.env['PATH'] ?? '', RUNBOOK_RUN_ID: runId },
    timeoutMs: null,
    tty: false,
  },
  { stop: never, force: never },
  async () => {},
);
await enclosure.close();
executor.close();
