/** One execution inside a process that is there already, and many at once: what the checks, the folder and the ledger cost. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createApp } from '../src/app.ts';
import type { RunRequest } from '../src/core/run.ts';
import { resolveSettings } from '../src/core/settings.ts';
import type { SettingName } from '../src/core/settings.ts';
import { execute } from '../src/engine/execute.ts';
import type { EnginePorts } from '../src/engine/ports.ts';
import { runbook, withHome } from './home.ts';
import type { Home } from './home.ts';
import { compare } from './measure.ts';

const SCRIPT = 'echo hi';
const AT_ONCE = 16;
const BATCH = 32;
/**
 * Between two that are measured. A process that enters a control group right after another one did is let in at once, else
 * after 10 to 20 ms: without the pause who comes second would look faster than it is.
 */
const PAUSE_MS = 60;
const never = new AbortController().signal;

export async function benchExecute(): Promise<void> {
  await withHome(async (home) => {
    const document = home.write('Echo.md', runbook('Echo', SCRIPT));
    const file = home.write('script.bash', `${SCRIPT}\n`);
    const bare = async (): Promise<void> => {
      const child = spawn('/bin/bash', ['-euo', 'pipefail', file], {
        cwd: home.folder,
        env: home.env,
        stdio: ['ignore', 'pipe', 'pipe'],
        detached: true,
      });
      child.stdout.resume();
      child.stderr.resume();
      const [code] = (await once(child, 'close')) as [number | null];
      if (code !== 0) throw new Error(`bash ended with ${code}`);
    };
    const recorded = await runner(home, document, 'ledger');
    const forgotten = await runner(home, document, 'none');
    const contained = async (): Promise<void> => await containedScript(recorded.ports, home, file);
    try {
      await compare(
        'One execution inside the process',
        [
          { name: 'bare spawn', run: apart(bare) },
          { name: 'the same, contained', against: [['bare spawn']], run: apart(contained) },
          {
            name: 'execute, in the ledger',
            against: [['the same, contained', 1.3], ['bare spawn']],
            run: apart(recorded.run),
          },
          { name: 'execute, without a record', against: [['the same, contained']], run: apart(forgotten.run) },
        ],
        { rounds: 200, budgetMs: 30_000 },
      );
      await compare(
        `${BATCH} executions, ${AT_ONCE} at once (0.8 of the runs per second is 1.25 of the time)`,
        [
          { name: 'bare spawn', run: async () => await batch(bare) },
          { name: 'the same, contained', against: [['bare spawn']], run: async () => await batch(contained) },
          {
            name: 'execute, in the ledger',
            against: [['the same, contained', 1.25], ['bare spawn']],
            run: async () => await batch(recorded.run),
          },
          {
            name: 'execute, without a record',
            against: [['the same, contained']],
            run: async () => await batch(forgotten.run),
          },
        ],
        { rounds: 20, budgetMs: 20_000 },
      );
    } finally {
      recorded.close();
      forgotten.close();
    }
  });
}

interface Runner {
  readonly ports: EnginePorts;
  readonly run: () => Promise<void>;
  readonly close: () => void;
}

async function runner(home: Home, document: string, history: 'ledger' | 'none'): Promise<Runner> {
  const flags: readonly (readonly [SettingName, string])[] = [
    ['stateDir', path.join(home.folder, `state-${history}`)],
    ['executionDir', home.folder],
    ['history', history],
  ];
  const values = new Map(flags.map(([name, text]) => [name, { text, label: name }]));
  const surroundings = { environment: new Map(Object.entries(home.env)), cwd: home.folder, ci: false };
  const app = await createApp(resolveSettings([{ origin: 'flag', values }]), surroundings);
  const ports = await app.engine();
  const request: RunRequest = {
    reference: document,
    token: null,
    given: new Map(),
    onCommandLine: new Set(),
    wanted: [],
    envFile: new Map(),
    passEnv: [],
    source: 'cli',
    address: null,
    historyMode: history,
    timeoutMs: null,
    callChain: [],
    correlationId: null,
    incident: null,
    signal: never,
    force: never,
    strict: false,
    choice: null,
    stubs: null,
    keepWorkFolder: 'never',
    interaction: null,
    assumeYes: false,
  };
  return {
    ports,
    run: async () => {
      const { outcome } = await execute(ports, request, () => {});
      if (outcome !== 'succeeded') throw new Error(`the run ${outcome}`);
    },
    close: () => {
      app.close();
    },
  };
}

/** What of an execution is containment alone. */
async function containedScript({ executor, runIds }: EnginePorts, home: Home, file: string): Promise<void> {
  const runId = runIds.next();
  const limits = { memoryBytes: null, processes: null, fileBytes: null, openFiles: null };
  const enclosure = await executor.open({ runId, limits, terminal: false });
  const argv = ['/bin/bash', '-euo', 'pipefail', file];
  const job = { runId, argv, cwd: home.folder, env: home.env, timeoutMs: null, tty: false };
  const { exitCode } = await enclosure.execute(job, { stop: never, force: never }, async () => {});
  await enclosure.close();
  if (exitCode !== 0) throw new Error(`bash ended with ${exitCode}`);
}

/** @returns what gives the time of `run` alone, behind a pause */
function apart(run: () => Promise<void>): () => Promise<number> {
  return async () => {
    await delay(PAUSE_MS);
    const start = performance.now();
    await run();
    return performance.now() - start;
  };
}

/** So many at once, until all have been. */
async function batch(run: () => Promise<void>): Promise<void> {
  let left = BATCH;
  const worker = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      await run();
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}
