/** The files that a runbook declares as its outputs, on their way out of the work folder. */
import { messageOf } from '../core/failures.ts';
import type { WorkFolder } from '../core/ports.ts';
import { NOT_WRITTEN } from '../core/run-files.ts';
import type { ArtifactRecord, RunEventSink, StepResult } from '../core/run.ts';
import type { Runbook } from '../core/runbook.ts';
import type { Draft } from './draft.ts';
import { notify } from './notices.ts';
import type { EnginePorts } from './ports.ts';

const MAX_NAMED = 3;

/** Never throws: what is not kept is told, and is no failure of the script. @param steps what came of them */
export async function keepArtifacts(
  { artifacts }: EnginePorts,
  draft: Draft,
  { files }: Runbook,
  workFolder: WorkFolder,
  steps: readonly StepResult[],
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
  // Of a run that stopped early, or that left steps out, nobody expects what the others make; the record says it all the same.
  const hasRunAll = steps.every(({ outcome }) => outcome !== 'skipped');
  const lost = records.filter(({ kept, reason }) => !kept && (hasRunAll || reason !== NOT_WRITTEN));
  await notify(draft, emit, 'warning', [describeLost(lost)]);
  return records;
}

/** One line, however many there are. */
function describeLost(lost: readonly ArtifactRecord[]): string | null {
  const because = ({ reason }: ArtifactRecord): string => reason ?? 'it could not be read';
  const [first, ...others] = lost;
  if (first === undefined) return null;
  if (others.length === 0) return `The output ${first.path} is not kept, because ${because(first)}.`;
  const named = lost.slice(0, MAX_NAMED).map((one) => `${one.path} (${because(one)})`);
  const more = lost.length > MAX_NAMED ? [`${lost.length - MAX_NAMED} more, which the record names`] : [];
  return `${lost.length} outputs are not kept: ${[...named, ...more].join(', ')}.`;
}
