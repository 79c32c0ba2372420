/** A file that a run has kept. */
import { createHash } from 'node:crypto';
import { RunbookError } from '../../../core/errors.ts';
import type { StoredRun } from '../../../core/run.ts';
import type { App } from '../../../app.ts';
import type { Terminal } from '../../terminal.ts';

/** As it was kept, byte by byte. */
export async function printArtifact(
  terminal: Terminal,
  { artifacts }: App,
  run: StoredRun,
  name: string,
): Promise<number> {
  const bytes = await artifacts.read(run.runId, name);
  if (bytes === null) {
    const kept = (run.result?.artifacts ?? []).filter((one) => one.kept).map(({ path }) => path);
    throw new RunbookError('not-found', `Run ${run.runId} has no artifact “${name}”.`, {
      fix: kept.length === 0 ? 'It kept none.' : `It kept ${kept.join(', ')}.`,
    });
  }
  const record = run.result?.artifacts.find((one) => one.path === name);
  const digest = createHash('sha256').update(bytes).digest('hex');
  if (record !== undefined && record.digest !== digest)
    terminal.say('This artifact does not fit its digest: it was changed or damaged.');
  await terminal.print(bytes);
  return 0;
}
