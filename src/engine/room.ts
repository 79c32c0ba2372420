/** Where a run will be recorded, and whether there is room: nothing begins that could then not be told for lack of a disk. */
import { RunbookError } from '../core/errors.ts';
import type { LoadedDocument } from '../core/ports.ts';
import { LEFT_FOR_LEDGER, NEEDED_FOR_ENTRY, NEEDED_FOR_RUN } from '../core/room.ts';
import { formatBytes } from '../core/units.ts';
import { headOf } from './draft.ts';
import type { Draft } from './draft.ts';
import type { EnginePorts } from './ports.ts';

/**
 * Resolves the mode of the history into the draft. @returns what is to be said of it
 * @throws RunbookError `io`: the document cannot be written, or a disk is nearly full
 */
export async function decideRecord(ports: EnginePorts, draft: Draft, document: LoadedDocument): Promise<string | null> {
  await checkStateFolder(ports, NEEDED_FOR_RUN + (headOf(draft)?.length ?? 0), 'the record of a run needs');
  // A rehearsal leaves nothing in the document: the mode stays `ledger` or `none`.
  if (draft.request.stubs !== null) return null;
  const wanted = draft.request.historyMode;
  const { mode, reason } = await ports.documentHistory.decide(wanted, document.path);
  draft.historyMode = mode;
  const free = mode === 'file' ? await ports.facts.freeBytes(document.path) : null;
  if (free === null || free >= NEEDED_FOR_ENTRY) return reason;
  if (wanted === 'auto') {
    draft.historyMode = 'ledger';
    return 'The disk of the document is nearly full, so the run is recorded in the ledger only.';
  }
  throw tooFull(`The disk of ${document.displayPath}`, free, 'its entry needs', NEEDED_FOR_ENTRY, '--history ledger');
}

/** The last of a disk is for runs that have begun. @throws RunbookError `io` */
export async function checkRoomForRefusal(ports: EnginePorts): Promise<void> {
  await checkStateFolder(ports, LEFT_FOR_LEDGER, 'the records of runs that have begun need');
}

async function checkStateFolder({ facts, stateDir }: EnginePorts, needed: number, who: string): Promise<void> {
  const free = stateDir === null ? null : await facts.freeBytes(stateDir);
  if (stateDir === null || free === null || free >= needed) return;
  throw tooFull(
    `The disk of the state folder ${stateDir}`,
    free,
    who,
    needed,
    '--state-dir and a folder on another disk',
  );
}

function tooFull(what: string, free: number, who: string, needed: number, other: string): RunbookError {
  const left = free === 0 ? 'is full' : `has ${formatBytes(free)} left`;
  return new RunbookError('io', `${what} ${left}, and ${who} at least ${formatBytes(needed)} there.`, {
    fix: `Make room on that disk, or use ${other}.`,
  });
}
