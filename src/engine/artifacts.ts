/** The files that a runbook declares as its outputs, on their way out of the work folder. */
import { messageOf } from '../core/failures.ts';
import type { WorkFolder } from '../core/ports.ts';
import type { ArtifactRecord, RunEventSink } from '../core/run.ts';
import type { Runbook } from '../core/runbook.ts';
import type { Draft } from './draft.ts';
import { notify } from './notices.ts';
import type { EnginePorts } from './ports.ts';

/** Never throws: what is not kept is told, and is no failure of the script. */
export async function keepArtifacts(
  { artifacts }: EnginePorts,
  draft: Draft,
  { files }: Runbook,
  workFolder: WorkFolder,
  emit: RunEventSink,
): Promise<readonly ArtifactRecord[]> {
  const paths = files.filter(({ direction }) => direction === 'output').map(({ path }) => path);
  if (paths.length === 0 || artifacts === null) return [];
  const records = await artifacts
    .keep(draft.runId, workFolder.path, paths, () => draft.masker.stream())
    .catch(async (error: unknown) => {
      await notify(draft, emit, 'warning', [`The outputs are not kept: ${messageOf(error)}.`]);
      return [];
    });
  const lost = records.filter(({ kept }) => !kept);
  await notify(
    draft,
    emit,
    'warning',
    lost.map(({ path, reason }) => `The output ${path} is not kept, because ${reason ?? 'it could not be read'}.`),
  );
  return records;
}
