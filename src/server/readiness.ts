/** Whether the server can take work, each thing by its name. Nothing of a runbook is run. */
import { RunbookError } from '../core/errors.ts';
import { messageOf } from '../core/failures.ts';
import { NEEDED_FOR_RUN } from '../core/room.ts';
import { formatBytes } from '../core/units.ts';
import type { ServerContext } from './context.ts';
import { checkKeys } from './keys.ts';

export interface Check {
  readonly name: string;
  readonly ok: boolean;
  /** A sentence, or a part of one; nothing of it tells where things are on the server. */
  readonly detail: string;
}

/** What the server can be without: reading goes on, and every other server of it is in the same state. */
const LESSER: ReadonlySet<string> = new Set(['limits']);

/** Whether it is of use to send requests here. */
export function isReady(checks: readonly Check[]): boolean {
  return checks.every(({ name, ok }) => ok || LESSER.has(name));
}

/** Asked as often as anybody likes: it looks once a second at most, however many ask. */
export type Readiness = () => Promise<readonly Check[]>;

export type ReadinessPorts = Pick<ServerContext, 'app' | 'engine' | 'runs' | 'limits' | 'log'>;

/** What is not all right, in words for everybody; the log has the rest. */
class NotReady extends Error {}

const HOLDS_MS = 1000;
/** An enclosure is a process, and what a machine can do does not change from one second to the next. */
const CONTAINMENT_HOLDS_MS = 60_000;
/** A ledger that others write may be locked for a moment; whoever waits for longer than a run does is in trouble. */
const LOCKED_MS = 5000;

export function createReadiness(ports: ReadinessPorts): Readiness {
  const { clock } = ports.engine;
  const now = (): number => clock.monotonicMs();
  const looks = [
    ['ledger', kept(HOLDS_MS, now, lookAtLedger(ports, now))],
    ['runbooks', kept(HOLDS_MS, now, async () => await lookAtRunbooks(ports))],
    ['work folder', kept(HOLDS_MS, now, async () => await lookAtWorkFolder(ports))],
    ['containment', kept(CONTAINMENT_HOLDS_MS, now, async () => await lookAtContainment(ports))],
    ['keys', kept(HOLDS_MS, now, async () => await checkKeys(ports.app.authenticator))],
  ] as const;
  const lastWords = new Map<string, string>();
  return async () => [
    ports.runs.isDraining
      ? { name: 'accepting', ok: false, detail: 'the server is about to end' }
      : { name: 'accepting', ok: true, detail: 'takes runs' },
    ...limitsCheck(ports),
    ...(await Promise.all(looks.map(async ([name, look]) => await check(ports, lastWords, name, look)))),
  ];
}

/** Nothing where they are counted here. */
function limitsCheck({ limits }: ReadinessPorts): readonly Check[] {
  if (limits.away === null) return [];
  const detail = limits.away ? 'Redis is away: runs and logins are refused, reading goes on' : 'counted in Redis';
  return [{ name: 'limits', ok: !limits.away, detail }];
}

async function check(
  { log }: ReadinessPorts,
  lastWords: Map<string, string>,
  name: string,
  look: () => Promise<string>,
): Promise<Check> {
  try {
    const detail = await look();
    if (lastWords.delete(name)) log.info({ check: name }, 'Ready again');
    return { name, ok: true, detail };
  } catch (error) {
    const reason = messageOf(error);
    // Once, not with every probe.
    if (lastWords.get(name) !== reason) log.error({ check: name, reason }, 'Not ready');
    lastWords.set(name, reason);
    return {
      name,
      ok: false,
      detail: error instanceof NotReady ? error.message : (SENTENCES[name] ?? 'does not work'),
    };
  }
}

/** For whoever is not to know where things are. */
const SENTENCES: Readonly<Record<string, string>> = {
  ledger: 'cannot be written; the log says why',
  runbooks: 'the folder cannot be read; the log says why',
  'work folder': 'none can be made; the log says why',
  containment: 'is weaker than required; the log says why',
  keys: 'there are none to verify tokens with; the log says why',
};

function lookAtLedger({ engine, app }: ReadinessPorts, now: () => number): () => Promise<string> {
  let lockedSince: number | null = null;
  return async () => {
    if (engine.stateDir === null) return 'nothing is recorded (history is none)';
    const free = await app.facts.freeBytes(engine.stateDir);
    if (free !== null && free < NEEDED_FOR_RUN) throw new NotReady(`its disk has ${formatBytes(free)} left`);
    try {
      await engine.ledger.tryChange();
      lockedSince = null;
    } catch (error) {
      if (!(error instanceof RunbookError && error.code === 'busy')) throw error;
      lockedSince ??= now();
      if (now() - lockedSince >= LOCKED_MS) throw new NotReady('another process holds it');
      return 'is being written by another process';
    }
    const paused = await engine.ledger.paused();
    return paused === null ? 'can be written' : 'can be written; runs are paused';
  };
}

async function lookAtRunbooks({ engine }: ReadinessPorts): Promise<string> {
  const count = await engine.source.count();
  return count === 1 ? '1 document' : `${count} documents`;
}

async function lookAtWorkFolder({ engine }: ReadinessPorts): Promise<string> {
  const free = await engine.workspace.tryFolder();
  if (free !== null && free < NEEDED_FOR_RUN) throw new NotReady(`its disk has ${formatBytes(free)} left`);
  return free === null ? 'can be made' : `can be made; ${formatBytes(free)} free`;
}

async function lookAtContainment({ engine }: ReadinessPorts): Promise<string> {
  const limits = { memoryBytes: null, processes: null, fileBytes: null, openFiles: null };
  const enclosure = await engine.executor.open({ runId: engine.runIds.next(), limits, terminal: false });
  await enclosure.close();
  return enclosure.containment.rung;
}

/** Looks anew when the last answer is older than that, or a bad one than a second; whoever asks meanwhile gets it, too. */
function kept(forMs: number, now: () => number, look: () => Promise<string>): () => Promise<string> {
  let answer: Promise<string> | null = null;
  let until = 0;
  return async () => {
    if (answer === null || now() >= until) {
      until = now() + forMs;
      answer = look();
      answer.catch(() => {
        until = Math.min(until, now() + HOLDS_MS);
      });
    }
    return await answer;
  };
}
