/** Where a run takes place: its work folder, and what its processes live in. Both, or neither. */
import type { Enclosure, LoadedDocument } from '../core/ports.ts';
import type { RunEventSink } from '../core/run.ts';
import type { Runbook } from '../core/runbook.ts';
import type { EarlierRun } from './continuation.ts';
import type { Draft } from './draft.ts';
import { openEnclosure } from './enclosure.ts';
import type { EnginePorts } from './ports.ts';
import type { Plan } from './requirements.ts';
import { closeUnused, openWorkFolder } from './work-folder.ts';
import type { OpenedFolder } from './work-folder.ts';

/** A run that nothing stands in the way of. */
export interface Accepted {
  readonly document: LoadedDocument;
  readonly runbook: Runbook;
  readonly plan: Plan;
  readonly earlier: EarlierRun | null;
}

export interface Place extends OpenedFolder {
  readonly enclosure: Enclosure;
}

/** @throws RunbookError of `Workspace` and of `Executor.open` */
export async function openPlace(
  ports: EnginePorts,
  draft: Draft,
  accepted: Accepted,
  emit: RunEventSink,
): Promise<Place> {
  const { document, runbook, plan, earlier } = accepted;
  const folder = await openWorkFolder(ports, draft, document, runbook, plan, earlier);
  try {
    return { ...folder, enclosure: await openEnclosure(ports, draft, accepted, emit) };
  } catch (error) {
    await closeUnused(folder).catch(() => {});
    throw error;
  }
}

/** For a run that cannot begin after all. */
export async function leavePlace({ enclosure, ...folder }: Place): Promise<void> {
  await enclosure.close();
  await closeUnused(folder);
}
