/** The work folder of a run: a new one, or the one that the earlier run left; and what becomes of it in the end. */
import { messageOf } from '../core/failures.ts';
import type { LoadedDocument, WorkFolder } from '../core/ports.ts';
import type { RunEventSink, RunResult } from '../core/run.ts';
import type { Draft } from './draft.ts';
import type { EarlierRun } from './continuation.ts';
import type { EnginePorts } from './ports.ts';
import type { Plan } from './requirements.ts';

export interface OpenedFolder {
  readonly workFolder: WorkFolder;
  /** Outputs of steps: what the caller gave, and of the earlier run what it passed on. Steps add to it. */
  readonly passedOn: Map<string, string>;
}

/** @throws RunbookError of `Workspace.create` */
export async function openWorkFolder(
  ports: EnginePorts,
  { runId, request }: Draft,
  document: LoadedDocument,
  plan: Plan,
  _earlier: EarlierRun | null,
): Promise<OpenedFolder> {
  const workFolder = await ports.workspace.create(runId, document.folder, plan.inputs, request.signal);
  return { workFolder, passedOn: new Map(plan.passedOn) };
}

/** @returns where it is kept; null where it is to be removed */
export function keptFolder(
  { request }: Draft,
  run: Pick<RunResult, 'outcome' | 'steps'>,
  { workFolder }: OpenedFolder,
): string | null {
  const { keepWorkFolder, stubs } = request;
  const isUnfinishedWork = run.outcome !== 'succeeded' && run.steps.length > 1 && stubs === null;
  return keepWorkFolder === 'always' || (keepWorkFolder === 'failed' && isUnfinishedWork) ? workFolder.path : null;
}

/** Never fails: what is left of a folder is told. */
export async function removeWorkFolder(runId: string, workFolder: WorkFolder, emit: RunEventSink): Promise<void> {
  await workFolder.remove().catch(async (error: unknown) => {
    const message = `The work folder ${workFolder.path} could not be removed: ${messageOf(error)}.`;
    await emit({ type: 'notice', runId, level: 'warning', message });
  });
}
