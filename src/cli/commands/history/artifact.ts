/** A file that a run has kept. */
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
  await terminal.print(bytes);
  return 0;
}
