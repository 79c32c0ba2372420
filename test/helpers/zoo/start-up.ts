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

/** Kills the runner so many milliseconds after the first sign of the run, or as soon as the script has begun. */
export async function killAtStart(zoo: Zoo, who: Who, when: number | 'begun'): Promise<StartUp> {
  const cage = zoo.open(who.user);
  try {
    const sign = appears(when === 'begun' ? path.dirname(cage.said('began')) : path.join(cage.home, 'tmp'));
    const runner = startRunner(cage, who, race(cage));
    await sign;
    if (when !== 'begun') await delay(when);
    runner.kill('SIGKILL');
    const began = existsSync(cage.said('began'));
    await runner;
    // Who is just being born has the command line of its parent, with the runbook's path or the run's id.
    const ids = runIds(cage);
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

/** The run's id stands in the name of its work folder. */
function runIds(cage: Cage): readonly string[] {
  const names = readdirSync(path.join(cage.home, 'tmp'));
  const ids = names.map((name) => /^runbook-exec-([0-9a-z]{26})$/.exec(name)?.[1] ?? '');
  if (ids.length !== 1 || ids.includes('')) throw new Error(`no work folder of the known form: ${names.join(' ')}`);
  return ids.map((id) => id.toUpperCase());
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
