/** A runner that is killed while it starts a script: before, between and after all that it has to prepare. */
import { existsSync, readdirSync, rmdirSync, watch } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { classic } from '../cli.ts';
import { alive, attendants, census } from './census.ts';
import { leftovers, startRunner } from './rounds.ts';
import type { Wish } from './rounds.ts';
import type { Rung } from './rungs.ts';
import type { Cage, Zoo } from './zoo.ts';

export interface StartUp {
  /** Whether the script had begun when the runner was killed. */
  readonly began: boolean;
  readonly survivors: readonly string[];
  readonly leftovers: readonly string[];
}

const KINDS = ['ghost', 'setsid', 'hop'];
const PATIENCE_MS = 5000;
/** Who was just being born had this long to show. */
const BIRTH_MS = 250;

type Who = Pick<Wish, 'user' | 'rung'>;

/** How long it takes from the first sign of a run, its work folder, to the script's first command. */
export async function measureStart(zoo: Zoo, who: Who): Promise<number> {
  const cage = zoo.open(who.user);
  try {
    const began = appears(path.dirname(cage.said('began')));
    const folder = appears(path.join(cage.home, 'tmp'));
    const runner = startRunner(cage, who, race(cage));
    const [at, beganAt] = await Promise.all([folder, began]);
    runner.kill('SIGKILL');
    await runner;
    return beganAt - at;
  } finally {
    await cage.close();
  }
}

/** Kills the runner so many milliseconds after the first sign of the run. */
export async function killAtStart(zoo: Zoo, who: Who, afterMs: number): Promise<StartUp> {
  const cage = zoo.open(who.user);
  try {
    const folder = appears(path.join(cage.home, 'tmp'));
    const runner = startRunner(cage, who, race(cage));
    await folder;
    await delay(afterMs);
    runner.kill('SIGKILL');
    const began = existsSync(cage.said('began'));
    await runner;
    // Who is just being born has the command line of its parent, with the runbook's path or the run's id.
    const ids = runEnds(cage);
    const killedAt = performance.now();
    const isBusy = (): boolean => attendants(cage.home, ...ids).length > 0 || alive(cage.folder).length > 0;
    const patienceMs = who.rung.holds ? PATIENCE_MS : 0;
    do await delay(60);
    while (performance.now() < killedAt + BIRTH_MS || (performance.now() < killedAt + patienceMs && isBusy()));
    const survivors = [...(await census(cage.folder, 4)).keys()].sort();
    const left = who.rung.holds ? await leftovers(who.rung, ids) : [];
    return { began, survivors, leftovers: left.filter((one) => !isEmptyGroup(who.rung, one)) };
  } finally {
    await cage.close();
  }
}

function race(cage: Cage): readonly string[] {
  const script = `: > '${cage.said('began')}'\n${cage.script(KINDS)}`;
  return ['execute', cage.write('Race', classic('Race', script)), '--history', 'ledger'];
}

/** When the next entry of a folder appears, on the monotonic clock. */
async function appears(folder: string): Promise<number> {
  return await new Promise((resolve) => {
    const watching = watch(folder, () => {
      watching.close();
      resolve(performance.now());
    });
  });
}

/** The end of the run's id stands in the name of its work folder. */
function runEnds(cage: Cage): readonly string[] {
  const ends = readdirSync(path.join(cage.home, 'tmp')).map((name) => /^runbook-exec-(\w{8})/.exec(name)?.[1] ?? '');
  if (ends.length !== 1 || ends[0] === '') throw new Error(`no work folder of the known form: ${ends.join(' ')}`);
  return ends.map((end) => end.toUpperCase());
}

/** A group that nobody was ever in harms nobody: who was to remove it had not heard of it yet. It is removed here. */
function isEmptyGroup(rung: Rung, folder: string): boolean {
  if (!rung.groupsIn.includes(path.dirname(folder))) return false;
  try {
    rmdirSync(folder);
    return true;
  } catch {
    return false;
  }
}
