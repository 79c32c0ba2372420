/** One round of the zoo: run it, wait until every kind is in its place, stop it in one of several ways, count who is left. */
import { existsSync, statSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { execa } from 'execa';
import type { User } from '../plain-user.ts';
import { CTRL_C, inTerminal } from '../terminal.ts';
import { attendants, census, watch } from './census.ts';
import type { Cage, Zoo } from './zoo.ts';

/** By its own limit, by a signal to the runner, by a key at the terminal. */
export type Stop = 'time limit' | 'SIGTERM' | 'SIGINT' | 'SIGKILL' | 'Ctrl-C';

export interface Wish {
  readonly user: User;
  readonly stop: Stop;
  /** Settings that choose the containment. */
  readonly env: Readonly<Record<string, string>>;
  /** How long it may take after a SIGKILL of the runner until nobody is left. */
  readonly patienceMs: number;
}

export interface Round {
  readonly exitCode: number | undefined;
  /** Kinds that were alive when the runner had ended; after a SIGKILL, when `patienceMs` were over. */
  readonly survivors: readonly string[];
  /** From the stop to the last of them dead; null where somebody survived. */
  readonly deadMs: number | null;
  /** Processes of the runner's own that were still there in the end. */
  readonly attendants: readonly string[];
  readonly stderr: string;
}

const LOOKS = 8;
const COMES_UP_MS = 30_000;
const TIME_LIMITS_S = [2, 5, 12];
const ARGS = ['execute', './Zoo.md', '--history', 'ledger'] as const;

export async function playRound(zoo: Zoo, wish: Wish): Promise<Round> {
  // On a busy machine the zoo may not be up before its time is over; such a round shows nothing.
  for (const limitS of TIME_LIMITS_S) {
    const cage = zoo.open(wish.user);
    try {
      const round = await (wish.stop === 'Ctrl-C' ? atTerminal(cage, wish) : byRunner(cage, wish, wish.stop, limitS));
      if (round !== null) return round;
    } finally {
      await cage.close();
    }
  }
  throw new Error(`the zoo was not up within ${TIME_LIMITS_S.at(-1) ?? 0} s`);
}

/** @returns null when the time limit came before the zoo was up */
async function byRunner(
  cage: Cage,
  wish: Wish,
  stop: Exclude<Stop, 'Ctrl-C'>,
  limitS: number,
): Promise<Round | null> {
  const runner = startRunner(cage, wish, stop === 'time limit' ? [...ARGS, '--timeout', `${limitS}s`] : ARGS);
  const isUp = await comesUp(cage, runner);
  const watching = watch(cage.folder);
  if (!isUp && stop !== 'time limit') runner.kill('SIGTERM');
  const killedAt = performance.now();
  if (isUp && stop !== 'time limit') runner.kill(stop);
  const { exitCode, stderr } = await runner;
  if (!isUp && stop !== 'time limit') throw new Error(`the zoo did not come up: ${stderr}`);
  if (stop === 'SIGKILL') await watching.quiet(wish.patienceMs);
  const result = await count(cage, watching, stop === 'time limit' ? whenAsked(cage) : killedAt);
  return isUp ? { ...result, exitCode, stderr } : null;
}

async function atTerminal(cage: Cage, { user, env }: Wish): Promise<Round> {
  let watching: ReturnType<typeof watch> | null = null;
  const { exitCode, screen } = await inTerminal(
    cage.home,
    ARGS,
    [[/the zoo is up/, CTRL_C]],
    { ...cage.env, ...env },
    (args) => {
      watching = watch(cage.folder);
      return user.runbook(args);
    },
  );
  return { ...(await count(cage, watching ?? watch(cage.folder), whenAsked(cage))), exitCode, stderr: screen };
}

export function startRunner(
  cage: Cage,
  { user, env }: Pick<Wish, 'user' | 'env'>,
  args: readonly string[],
): ReturnType<typeof execa<{ reject: false }>> {
  const [program = '', ...rest] = user.runbook(args);
  return execa(program, rest, {
    cwd: cage.home,
    env: { ...cage.env, ...env },
    extendEnv: false,
    reject: false,
    stdin: 'ignore',
    timeout: 60_000,
  });
}

async function comesUp(cage: Cage, runner: PromiseLike<unknown>): Promise<boolean> {
  const deadline = performance.now() + COMES_UP_MS;
  let hasEnded = false;
  void runner.then(() => {
    hasEnded = true;
  });
  while (!existsSync(cage.said('main'))) {
    if (hasEnded || performance.now() > deadline) return existsSync(cage.said('main'));
    await delay(10);
  }
  return true;
}

/** When the script's group was asked to end, on the monotonic clock. */
function whenAsked(cage: Cage): number {
  const asked = statSync(cage.said('asked'), { throwIfNoEntry: false });
  return (asked?.mtimeMs ?? Date.now()) - performance.timeOrigin;
}

/** Who forks without end is hardly seen, but what it does is. */
function beat(cage: Cage): number {
  return statSync(cage.said('beat'), { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

async function count(
  cage: Cage,
  watching: ReturnType<typeof watch>,
  stoppedAt: number,
): Promise<Omit<Round, 'exitCode' | 'stderr'>> {
  const lastSeenAt = watching.stop();
  const beatBefore = beat(cage);
  const seen = new Set((await census(cage.folder, LOOKS)).keys());
  if (beat(cage) !== beatBefore) seen.add('hop');
  const survivors = [...seen].sort();
  return {
    survivors,
    deadMs: survivors.length > 0 ? null : Math.max(0, Math.round(lastSeenAt - stoppedAt)),
    attendants: attendants(cage.folder),
  };
}
