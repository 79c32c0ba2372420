/**
 * A process of its own that executes a runbook by the real engine over the real adapters, and breaks at one place of it:
 * `node faulty-runner.ts '<Plan as JSON>'`. It says on stdout what a caller may rely on, a line each:
 * `started <run>`, `ended <run> <exit code>`, `failed <code> <message>`, and `at <place>` where it waits or passes.
 */
import { writeSync } from 'node:fs';
import path from 'node:path';
import { createApp } from '../../src/app.ts';
import { RunbookError } from '../../src/core/errors.ts';
import type { Clock } from '../../src/core/ports.ts';
import { exitCodeOf } from '../../src/core/run.ts';
import type { HistoryMode } from '../../src/core/run.ts';
import { requestFor } from './requests.ts';
import { resolveSettings } from '../../src/core/settings.ts';
import { execute } from '../../src/engine/execute.ts';
import type { EnginePorts } from '../../src/engine/ports.ts';
import { recover } from '../../src/engine/recover.ts';

export interface Plan {
  readonly stateDir: string;
  readonly scratch: string;
  readonly document: string;
  readonly history: HistoryMode;
  readonly fault: Fault | null;
  /** How far the wall clock is off, in milliseconds, from the beginning and from the place of the fault on. */
  readonly clockOffMs?: number;
  readonly clockStepsToMs?: number;
}

/** `before ledger.begin`, `after workspace.create`, …: any call of any port is a place. */
export interface Fault {
  readonly place: string;
  /** The n-th time that it is passed, from 1. */
  readonly nth: number;
  /**
   * `wait`: until a line comes on stdin. `tell`: all places are told as they are passed. `recover`: runs are looked after,
   * as a run does every 30 s. `pass`: nothing.
   */
  readonly does: 'kill' | 'wait' | 'tell' | 'recover' | 'pass';
}

const say = (line: string): void => {
  writeSync(1, `${line}\n`);
};

/** What a port gives, and that is called in its turn. */
const GIVEN: Readonly<Record<string, string>> = {
  'executor.open': 'enclosure',
  'workspace.create': 'workFolder',
  'workspace.adopt': 'workFolder',
  'output.open': 'spool',
};

async function main({ stateDir, scratch, document, history, fault, ...clocks }: Plan): Promise<void> {
  const values = new Map(
    Object.entries({ stateDir, executionDir: scratch, history }).map(([name, text]) => [name, { text, label: name }]),
  ) as Parameters<typeof resolveSettings>[0][number]['values'];
  const environment = new Map(Object.entries(process.env).map(([name, value]) => [name, value ?? '']));
  let offMs = clocks.clockOffMs ?? 0;
  const clock: Clock = {
    now: () => new Date(Date.now() + offMs),
    monotonicMs: () => performance.now(),
  };
  const surroundings = { environment, cwd: path.dirname(document), ci: false, clock };
  const app = await createApp(resolveSettings([{ origin: 'flag', values }]), surroundings);
  let passed = 0;

  const pass = (place: string): Promise<void> | null => {
    if (fault?.does === 'tell') say(`at ${place}`);
    if (fault?.place !== place || (passed += 1) !== fault.nth) return null;
    if (fault.does === 'kill') process.kill(process.pid, 'SIGKILL');
    offMs = clocks.clockStepsToMs ?? offMs;
    if (fault.does === 'recover') return recover(ports, async (warning) => say(`warning ${warning}`));
    if (fault.does !== 'wait') return null;
    say(`at ${place}`);
    return new Promise((resolve) => {
      // Nobody is left who could let it go on.
      const giveUp = (): never => process.exit(1);
      process.stdin.once('end', giveUp);
      process.stdin.once('data', () => {
        process.stdin.off('end', giveUp);
        process.stdin.pause();
        resolve();
      });
    });
  };

  const watched = <T extends object>(name: string, target: T): T =>
    new Proxy(target, {
      get: (object, key) => {
        const value: unknown = Reflect.get(object, key);
        if (typeof value !== 'function') return value;
        const call = `${name}.${String(key)}`;
        const give = (result: unknown): unknown =>
          GIVEN[call] === undefined || typeof result !== 'object' || result === null
            ? result
            : watched(GIVEN[call], result);
        return (...args: readonly unknown[]): unknown => {
          const run = (): unknown => Reflect.apply(value, object, args);
          const waiting = pass(`before ${call}`);
          const result = waiting === null ? run() : waiting.then(run);
          if (!(result instanceof Promise)) {
            void pass(`after ${call}`);
            return give(result);
          }
          return (async () => {
            const done: unknown = await result;
            await pass(`after ${call}`);
            return give(done);
          })();
        };
      },
    });

  const real = await app.engine();
  const ports: EnginePorts = {
    ...real,
    ledger: watched('ledger', real.ledger),
    executor: watched('executor', real.executor),
    workspace: watched('workspace', real.workspace),
    output: watched('output', real.output),
    documentHistory: watched('documentHistory', real.documentHistory),
    artifacts: real.artifacts === null ? null : watched('artifacts', real.artifacts),
  };
  try {
    const result = await execute(ports, requestFor(document, history), async (event) => {
      if (event.type === 'started') say(`started ${event.runId}`);
      if (event.type === 'notice' && event.level === 'warning') say(`warning ${event.message}`);
      if (event.type === 'stdout') await pass('first output');
    });
    app.close();
    say(`ended ${result.runId} ${exitCodeOf(result)}`);
  } catch (error) {
    app.close();
    if (!(error instanceof RunbookError)) throw error;
    say(`failed ${error.exitCode} ${error.message}`);
    process.exitCode = error.exitCode;
  }
}

await main(JSON.parse(process.argv[2] ?? '') as Plan);
