/** Where a run takes place: its work folder, and what its processes live in. Both, or neither. */
import type { Enclosure, LoadedDocument } from '../core/ports.ts';
import type { RunEventSink } from '../core/run.ts';
import type { Runbook } from '../core/runbook.ts';
import type { EarlierRun } from './continuation.ts';
import { describeDecision, describePlace } from './details.ts';
import type { Draft } from './draft.ts';
import { openEnclosure } from './enclosure.ts';
import { notify } from './notices.ts';
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
  await ports.workspace.claim(draft.runId);
  // All at once: what the one waits for is not what the other waits for.
  const results = await Promise.allSettled([
    openEnclosure(ports, draft, accepted, emit),
    openWorkFolder(ports, draft, document, runbook, plan, earlier),
    notify(draft, emit, 'detail', describeDecision(ports, draft, accepted)),
  ]);
  const [enclosure, folder, told] = results;
  if (enclosure.status === 'fulfilled' && folder.status === 'fulfilled' && told.status === 'fulfilled') {
    const place = { ...folder.value, enclosure: enclosure.value };
    await notify(draft, emit, 'detail', describePlace(place));
    if (place.missed !== null) await notify(draft, emit, 'warning', [nothingLeft(place.missed)]);
    return place;
  }
  if (folder.status === 'fulfilled') await closeUnused(folder.value).catch(() => {});
  if (enclosure.status === 'fulfilled') await enclosure.value.close().catch(() => {});
  throw results.find((result) => result.status === 'rejected')?.reason;
}

/** The kept folder is not there any more. */
export function nothingLeft(runId: string): string {
  return `The work folder of run ${runId} was not kept or is gone: what its steps left is missing, and this run begins with a new one.`;
}

/** For a run that cannot begin after all. */
export async function leavePlace({ enclosure, ...folder }: Place): Promise<void> {
  await enclosure.close();
  await closeUnused(folder);
}
