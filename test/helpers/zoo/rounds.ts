/** One round of the zoo: run it, wait until every kind is in its place, stop it in one of several ways, count who is left. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { execa } from 'execa';
import type { User } from '../plain-user.ts';
import { CTRL_C, inTerminal } from '../terminal.ts';
import { attendants, census, watch } from './census.ts';
import type { Watch } from './census.ts';
import type { Rung } from './rungs.ts';
import type { Cage, Zoo } from './zoo.ts';

/** By its own limit, by a signal to the runner, by a key at the terminal. */
export type Stop = 'time limit' | 'SIGTERM' | 'SIGINT' | 'SIGKILL' | 'Ctrl-C';

export interface Wish {
  readonly user: User;
  readonly rung: Rung;
  readonly stop: Stop;
}

export interface Round {
  readonly exitCode: number | undefined;
  /** What the runner said; at a terminal, all that was on the screen. */
  readonly said: string;
  /** Kinds that were alive when the runner had ended; after a SIGKILL of it, when there was time enough. */
  readonly survivors: readonly string[];
  /** From the stop to the last of them dead; null where somebody survived. */
  readonly deadMs: number | null;
  /** Processes and control groups of the runner's own that outlived it and the script. */
  readonly leftovers: readonly string[];
}

/** Ten times what it takes on a busy machine. Who holds nobody is not waited for. */
const PATIENCE_MS = 5000;
const LOOKS = 6;
const COMES_UP_MS = 30_000;
const TIME_LIMITS_S = [1, 2, 5, 12];
const LAST_LIMIT_S = Math.max(...TIME_LIMITS_S);
/** Shorter limits than this were not enough here, and need not be tried again. */
let enoughS = 0;
const ARGS = ['execute', './Zoo.md', '--history', 'ledger'] as const;

export async function playRound(zoo: Zoo, wish: Wish): Promise<Round> {
  // On a busy machine the zoo may not be up before its time is over; such a round shows nothing.
  for (const limitS of TIME_LIMITS_S) {
    if (limitS < enoughS) continue;
    const cage = zoo.open(wish.user);
    try {
      const round = await (wish.stop === 'Ctrl-C' ? atTerminal(cage, wish) : byRunner(cage, wish, wish.stop, limitS));
      if (round !== null) return round;
      enoughS = Math.max(enoughS, Math.min(limitS + 1, LAST_LIMIT_S));
    } finally {
      await cage.close();
    }
  }
  throw new Error(`the zoo was not up within ${LAST_LIMIT_S} s`);
}

/** @returns null when the time limit came before the zoo was up */
async function byRunner(cage: Cage, wish: Wish, stop: Exclude<Stop, 'Ctrl-C'>, limitS: number): Promise<Round | null> {
  const isTimed = stop === 'time limit';
  const runner = startRunner(cage, wish, isTimed ? [...ARGS, '--timeout', `${limitS}s`] : ARGS);
  const isUp = await comesUp(cage, runner);
  const watching = watch(cage.folder);
  const stoppedAt = performance.now();
  if (!isTimed) runner.kill(isUp ? stop : 'SIGTERM');
  const { exitCode, stderr } = await runner;
  if (!isUp && isTimed) {
    watching.stop();
    return null;
  }
  if (!isUp) throw new Error(`the zoo did not come up: ${stderr}`);
  if (stop === 'SIGKILL') await watching.quiet(wish.rung.holds ? PATIENCE_MS : 200);
  return {
    exitCode,
    said: stderr,
    ...(await count(cage, watching, isTimed ? whenAsked(cage) : stoppedAt)),
    leftovers: await leftovers(wish.rung, [runIdOf(stderr)]),
  };
}

async function atTerminal(cage: Cage, { user, rung }: Wish): Promise<Round> {
  const watching = watch(cage.folder);
  const { exitCode, screen } = await inTerminal(
    cage.home,
    ARGS,
    [[/the zoo is up/, CTRL_C]],
    { ...cage.env, ...rung.env },
    (args) => rung.runbook(user, args),
  );
  return {
    exitCode,
    said: screen,
    ...(await count(cage, watching, whenAsked(cage))),
    leftovers: await leftovers(rung, [runIdOf(screen)]),
  };
}

export function startRunner(cage: Cage, { user, rung }: Pick<Wish, 'user' | 'rung'>, args: readonly string[]) {
  const [program = '', ...rest] = rung.runbook(user, args);
  return execa(program, rest, {
    cwd: cage.home,
    env: { ...cage.env, ...rung.env },
    extendEnv: false,
    reject: false,
    stdin: 'ignore',
    timeout: 180_000,
    // Whoever stops a runner here wants to see what it does, however long that takes.
    forceKillAfterDelay: false,
  });
}

async function comesUp(cage: Cage, runner: Promise<unknown>): Promise<boolean> {
  const deadline = performance.now() + COMES_UP_MS;
  let hasEnded = false;
  void runner.finally(() => {
    hasEnded = true;
  });
  while (!existsSync(cage.said('main'))) {
    if (hasEnded || performance.now() > deadline) return existsSync(cage.said('main'));
    await delay(10);
  }
  return true;
}

/** When the script's processes were asked to end, on the monotonic clock. */
function whenAsked(cage: Cage): number {
  const asked = statSync(cage.said('asked'), { throwIfNoEntry: false });
  return (asked?.mtimeMs ?? Date.now()) - performance.timeOrigin;
}

async function count(cage: Cage, watching: Watch, stoppedAt: number): Promise<Pick<Round, 'survivors' | 'deadMs'>> {
  const lastSeenAt = watching.stop();
  const before = lastHop(cage);
  const seen = new Set((await census(cage.folder, LOOKS)).keys());
  // Who forks without end is hardly seen, but what it does is.
  if (lastHop(cage) !== before) seen.add('hop');
  const survivors = [...seen].sort();
  return { survivors, deadMs: survivors.length > 0 ? null : Math.max(0, Math.round(lastSeenAt - stoppedAt)) };
}

function lastHop(cage: Cage): number {
  return statSync(cage.said('beat'), { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

function runIdOf(said: string): string {
  const [, id] = /run ([0-9A-Z]{26}) started/.exec(said) ?? [];
  if (id === undefined) throw new Error(`the runner did not say which run this is:\n${said}`);
  return id;
}

/**
 * Whoever watches over a run names it in its arguments, for people who read `ps`, and a control group has its name; both
 * may need a moment to go. @returns command lines, and folders of groups
 */
export async function leftovers(rung: Rung, ids: readonly string[]): Promise<readonly string[]> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    const groups = rung.groupsIn.flatMap((folder) =>
      readdirSync(folder)
        .filter((name) => ids.some((id) => name.endsWith(id.toLowerCase())))
        .map((name) => path.join(folder, name)),
    );
    const found = [...attendants(...ids), ...groups];
    if (found.length === 0 || performance.now() > deadline) return found;
    await delay(20);
  }
}
