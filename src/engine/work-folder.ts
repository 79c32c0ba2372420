/** The work folder of a run: a new one, or the one that the earlier run left; and what becomes of it in the end. */
import { deniedFromSteps } from '../core/environment-names.ts';
import { messageOf } from '../core/failures.ts';
import type { Masker } from '../core/masking/masker.ts';
import type { FolderFate, LoadedDocument, WorkFolder } from '../core/ports.ts';
import type { RunEventSink, RunRecord, RunResult } from '../core/run.ts';
import { looksSecret } from '../core/runbook.ts';
import type { Runbook } from '../core/runbook.ts';
import { checkValue } from '../core/values.ts';
import type { EarlierRun } from './continuation.ts';
import type { Draft } from './draft.ts';
import { notify } from './notices.ts';
import type { EnginePorts } from './ports.ts';
import type { Plan } from './requirements.ts';

type Outputs = ReadonlyMap<string, string>;

export interface OpenedFolder {
  readonly workFolder: WorkFolder;
  /** Outputs of steps: what the caller gave, and of the earlier run what it passed on. Steps add to it. */
  readonly passedOn: Map<string, string>;
  /** Leaves a folder that was taken over to its run again. @returns where it is; null where there is no such run */
  readonly giveBack: () => Promise<string | null>;
  /** The run whose folder was to be taken over and is not there any more; null for none. */
  readonly missed: string | null;
}

/** @throws RunbookError of `Workspace` */
export async function openWorkFolder(
  ports: EnginePorts,
  { runId, stop, masker }: Draft,
  document: LoadedDocument,
  runbook: Runbook,
  plan: Plan,
  earlier: EarlierRun | null,
): Promise<OpenedFolder> {
  const { workspace } = ports;
  const from = earlier?.obstacle === null ? earlier.run.runId : null;
  const adopted = from === null ? null : await workspace.adopt(runId, from, stop);
  if (adopted === null || from === null) {
    const workFolder = await workspace.create(runId, document.folder, plan.inputs, stop);
    return { workFolder, passedOn: new Map(plan.passedOn), giveBack: async () => null, missed: from };
  }
  const { folder, outputs } = adopted;
  const passedOn = new Map([...stillDeclared(outputs, runbook), ...plan.passedOn]);
  await rememberOutputs(masker, folder, passedOn);
  const giveBack = async (): Promise<string | null> => {
    const path = await keep(masker, folder, passedOn);
    const returned = await workspace.adopt(from, runId, new AbortController().signal);
    return returned === null ? path : await keep(masker, returned.folder, passedOn);
  };
  return { workFolder: folder, passedOn, giveBack, missed: null };
}

/** What lies about of runs that have ended, or that no ledger knows, is cleared away. @throws RunbookError of the ledger */
export async function sweepFolders({
  workspace,
  executor,
  ledger,
  clock,
}: Pick<EnginePorts, 'workspace' | 'executor' | 'ledger' | 'clock'>): Promise<void> {
  // What lies about of the runs of a copy is of the ledger that it was made of.
  if ((await ledger.copyOf()) !== null) return;
  const left = await workspace.sweep(clock.now(), async (runId) => fateOf(await ledger.get(runId)));
  // Of whoever left no record nobody waits to hear.
  for (const runId of left) await executor.endLeftovers(runId, null).catch(() => {});
}

/** A folder that was kept for a run may for a moment look as if it were in use: while it is given back. */
function fateOf(run: RunRecord | null): FolderFate | null {
  if (run === null || run.state === 'queued' || run.state === 'started') return null;
  // Somebody may still work in it, as far as this ledger knows.
  if (run.interruption?.survivors === null) return null;
  return (run.result?.workFolder ?? run.interruption?.workFolder ?? null) === null ? 'over' : 'kept';
}

/** The document may be another by now, and what lay in a folder of scripts is checked like what a script writes. */
function stillDeclared(outputs: Outputs, runbook: Runbook): readonly (readonly [string, string])[] {
  const variables = new Set(runbook.env.map(({ name }) => name));
  const declared = new Set(runbook.steps.flatMap((step) => step.outputs).filter((name) => !variables.has(name)));
  return [...outputs].filter(
    ([name, value]) =>
      declared.has(name) && !deniedFromSteps(name) && checkValue({ name, type: 'text' }, value) === null,
  );
}

/** Where there is something to go on with, the folder stays. @returns its path; null where it is to be removed */
export async function keepWorkFolder(
  draft: Draft,
  run: Pick<RunResult, 'outcome' | 'steps'>,
  { workFolder, passedOn, giveBack }: OpenedFolder,
  emit: RunEventSink,
): Promise<string | null> {
  const { request, masker } = draft;
  const { keepWorkFolder: when, stubs } = request;
  const isUnfinishedWork = run.outcome !== 'succeeded' && run.steps.length > 1 && stubs === null;
  try {
    if (when === 'never') return null;
    // Where one step was made up for, the run that it belongs to is still to be gone on from.
    if (run.outcome === 'succeeded' && request.choice?.kind === 'only') {
      const path = await giveBack();
      if (path !== null) return path;
    }
    return when === 'always' || isUnfinishedWork ? await keep(masker, workFolder, passedOn) : null;
  } catch (error) {
    await notify(draft, emit, 'warning', [`The work folder could not be kept: ${messageOf(error)}.`]);
    return null;
  }
}

async function keep(masker: Masker, workFolder: WorkFolder, passedOn: Outputs): Promise<string> {
  return await workFolder.keep(openOutputs(masker, passedOn));
}

/** For whoever recovers the run. Without it they would have to be given again, so no failure matters. */
export async function rememberOutputs(masker: Masker, workFolder: WorkFolder, passedOn: Outputs): Promise<void> {
  await workFolder.remember(openOutputs(masker, passedOn)).catch(() => {});
}

/** Secrets are not kept on disk: whoever goes on gives them again. */
function openOutputs(masker: Masker, passedOn: Outputs): Outputs {
  return new Map([...passedOn].filter(([name, value]) => !looksSecret(name) && masker.text(value) === value));
}

/** For a run that cannot begin: what was made for it goes, what an earlier run left is there for the next one. */
export async function closeUnused({ workFolder, giveBack }: OpenedFolder): Promise<void> {
  if ((await giveBack()) === null) await workFolder.remove();
}

/** Never fails: what is left of a folder is told. */
export async function removeWorkFolder(draft: Draft, workFolder: WorkFolder, emit: RunEventSink): Promise<void> {
  await workFolder.remove().catch(async (error: unknown) => {
    const message = `The work folder ${workFolder.path} could not be removed: ${messageOf(error)}.`;
    await notify(draft, emit, 'warning', [message]);
  });
}
