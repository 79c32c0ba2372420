/** Of the doctor: where runs are recorded, whether that lasts, whether there is room, and what the clock says. */
import { statSync } from 'node:fs';
import path from 'node:path';
import type { App } from '../../app.ts';
import { RunbookError } from '../../core/errors.ts';
import type { RunLedger } from '../../core/ports.ts';
import { NEEDED_FOR_RUN } from '../../core/room.ts';
import { formatBytes, formatDuration } from '../../core/units.ts';
import type { EnginePorts } from '../../engine/ports.ts';
import { describePause } from '../describe.ts';
import { failure, note, ok, problem } from './finding.ts';
import type { Finding } from './finding.ts';

/** Clocks of two machines differ by less. */
const CLOCK_SLACK_MS = 60_000;
/** No release is older. */
const EARLIEST = Date.parse('2026-01-01T00:00:00Z');

/** Whether a run can be recorded. None is made for that. @throws RunbookError of `App.ledger` and of `tryChange` */
export async function examineLedger(app: App): Promise<readonly Finding[]> {
  const { settings, stateDir } = app;
  if (settings.history === 'none') {
    const fix = 'Unset it where somebody may ask later what happened.';
    return [note('ledger', 'none: runs leave no record (history is none)', fix)];
  }
  if (!(await app.hasLedger())) {
    const fix = 'If there should be one, name its folder with --state-dir.';
    return [note('ledger', `none in ${stateDir} yet: the first run makes one`, fix)];
  }
  const ledger = await app.ledger();
  const now = app.clock.now();
  return [
    ...(await change(app, ledger)),
    ...privacy(stateDir),
    ...(await pause(ledger)),
    ...(await clock(ledger, now)),
  ];
}

async function change(app: App, ledger: RunLedger): Promise<readonly Finding[]> {
  const { stateDir } = app;
  const home = await ledger.copyOf();
  if (home !== null) {
    const text = `in ${stateDir}, a copy of the one in ${home}: it is one of its own with the first run`;
    return [note('ledger', text, 'Run where the ledger lives, or here if that one is not used any more.')];
  }
  if ((await app.whyLeftAlone()) !== null) {
    const fix = 'Choose another folder with --state-dir, or make this one writable and see that the disk has room.';
    return [problem('ledger', `in ${stateDir}, where it cannot be written`, fix)];
  }
  try {
    await ledger.tryChange();
  } catch (error) {
    // Somebody writes just now.
    if (!(error instanceof RunbookError && error.code === 'busy')) throw error;
  }
  const bytes = statSync(path.join(stateDir, 'ledger.sqlite')).size;
  return [ok('ledger', `in ${stateDir}, ${formatBytes(bytes)}, can be written`)];
}

function privacy(folder: string): readonly Finding[] {
  const mode = statSync(folder, { throwIfNoEntry: false })?.mode ?? 0o700;
  if ((mode & 0o077) === 0) return [];
  const fix = `Take the permissions away: chmod 700 ${folder}.`;
  return [note('ledger', `others on this machine may look into ${folder} (mode ${(mode & 0o777).toString(8)})`, fix)];
}

/** Where records and work folders are, or will be: whether that stays, and how much room there is. */
export async function examineStorage(app: App, { facts, workspace }: EnginePorts): Promise<readonly Finding[]> {
  const found: Finding[] = [];
  const obstacle = await app.whyNoRun();
  if (obstacle !== null && !(await app.hasLedger())) found.push(failure('storage', obstacle));
  const kind = await app.ephemeralLedger();
  if (kind !== null) {
    const text = `the ledger is on ${kind}, which does not outlive this machine or container`;
    found.push(note('storage', text, 'Put RUNBOOK_STATE_DIR on a disk or volume that stays.'));
  }
  const free = await facts.freeBytes(app.stateDir);
  if (free !== null) {
    const text = `${formatBytes(free)} are free for records`;
    const needed = `${text}, and a run needs ${formatBytes(NEEDED_FOR_RUN)}`;
    const fix = 'Make room on that disk, or name another state folder.';
    found.push(free >= NEEDED_FOR_RUN ? ok('storage', text) : problem('storage', needed, fix));
  }
  try {
    const { path: work } = await workspace.foresee();
    const folder = path.dirname(path.dirname(work));
    const room = await facts.freeBytes(folder);
    found.push(ok('work folders', `are made in ${folder}${room === null ? '' : `, ${formatBytes(room)} free`}`));
  } catch (error) {
    found.push(failure('work folders', error));
  }
  return found;
}

async function pause(ledger: RunLedger): Promise<readonly Finding[]> {
  const paused = await ledger.paused();
  if (paused === null) return [];
  return [
    note(
      'runs',
      `are paused ${describePause(paused)}`,
      'Wait until whoever paused them lets them go on, or `runbook resume`.',
    ),
  ];
}

/** Tokens expire, and lists of runs are ordered, by it. */
async function clock(ledger: RunLedger, now: Date): Promise<readonly Finding[]> {
  const at = now.getTime();
  const fix = 'Set the clock, best by NTP: tokens and the dates of records depend on it.';
  if (at < EARLIEST)
    return [problem('clock', `it is ${new Date(at).toISOString()}, before this program was made`, fix)];
  const [newest] = await ledger.list({ limit: 1 });
  const ahead = newest === undefined ? 0 : Date.parse(newest.enqueuedAt) - at;
  if (ahead <= CLOCK_SLACK_MS) return [];
  return [problem('clock', `the newest record is ${formatDuration(ahead)} ahead of it`, fix)];
}
