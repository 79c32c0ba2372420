/** A home with one document whose runs are disturbed, and what outsiders were told of them. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { build } from 'esbuild';
import { execa } from 'execa';
import { afterAll } from 'vitest';
import { BIN, cleanEnvironment, createHome, REPOSITORY } from './cli.ts';
import type { Home } from './cli.ts';
import type { Fault, Plan } from './faulty-runner.ts';
import type { Acknowledged, Scene } from './oracle.ts';

const programs = mkdtempSync(path.join(tmpdir(), 'runbook-program-'));
afterAll(() => {
  rmSync(programs, { recursive: true });
});
let bundled: Promise<string> | null = null;

/** As the command line itself is bundled: it starts in a third of the time. */
async function bundleRunner(): Promise<string> {
  for (const name of ['libexec', 'node_modules']) symlinkSync(path.join(REPOSITORY, name), path.join(programs, name));
  await build({
    entryPoints: [path.join(import.meta.dirname, 'faulty-runner.ts')],
    outdir: path.join(programs, 'runner'),
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    external: ['better-sqlite3'],
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
    outExtension: { '.js': '.mjs' },
  });
  return path.join(programs, 'runner/faulty-runner.mjs');
}

export interface Disturbed extends Scene {
  readonly home: Home;
  readonly document: string;
  /** What anybody was told so far. */
  readonly told: Acknowledged[];
  /** Environment of the processes that are started by hand. */
  readonly env: Readonly<Record<string, string>>;
}

/** @param script of the only step; the effect comes first. `limits` as in the document. */
export function createScene(script = '', limits = ''): Disturbed {
  const home = createHome();
  const effects = path.join(home.folder, 'effects');
  const scratch = path.join(home.folder, 'scratch');
  mkdirSync(scratch);
  writeFileSync(effects, '');
  const document = home.write(
    'Effect.md',
    `# Effect\n\n# Limits\n\`\`\`yaml\n${limits}\n\`\`\`\n\n# Steps\n\n## Do\n\`\`\`bash\necho "$RUNBOOK_RUN_ID" >> '${effects}'\n${script}\n\`\`\`\n\n# History\n`,
  );
  const env = { ...cleanEnvironment(home.folder), NODE_COMPILE_CACHE: path.join(programs, 'code') };
  return { home, document, documents: [document], effects, scratch, stateDir: home.stateDir, told: [], env };
}

export interface Ended {
  /** Null: a signal ended it. */
  readonly exitCode: number | null;
  /** What it said, but for `started` and `ended`. */
  readonly said: readonly string[];
  readonly runId: string | null;
}

export interface Beginning extends Partial<Omit<Plan, 'fault'>> {
  readonly fault?: Fault | null;
  /** Called at each `at`; what it gives back is awaited before the process may go on. */
  readonly onWait?: (place: string) => Promise<void>;
  /** Programs and their arguments that stand before it. */
  readonly below?: readonly string[];
}

/** One run in a process of its own, by the real engine; see `faulty-runner.ts`. */
export async function runOnce(scene: Disturbed, beginning: Beginning = {}): Promise<Ended> {
  const { fault = null, onWait, below = [], ...more } = beginning;
  const { stateDir, scratch, document } = scene;
  const plan: Plan = { stateDir, scratch, document, history: 'file', fault, ...more };
  const [program, ...args] = [...below, process.execPath, await (bundled ??= bundleRunner()), JSON.stringify(plan)];
  const child = execa(program, args, { env: scene.env, extendEnv: false, reject: false, timeout: 110_000 });
  const said: string[] = [];
  let runId: string | null = null;
  let ended: number | null = null;
  for await (const line of createInterface({ input: child.stdout })) {
    const [word = '', first = '', second = ''] = line.split(' ');
    if (word === 'started') runId = first;
    else if (word === 'ended') ended = Number(second);
    else said.push(line);
    if (word === 'at' && onWait !== undefined) {
      await onWait(line.slice('at '.length));
      child.stdin.end('\n');
    }
  }
  const result = await child;
  const exitCode = result.signal === undefined ? (result.exitCode ?? null) : null;
  if (exitCode !== null && result.stderr !== '') said.push(result.stderr);
  if (runId !== null) scene.told.push({ runId, exitCode: ended ?? exitCode });
  return { exitCode, said, runId };
}

export interface CommandLine {
  /** Programs and their arguments that stand before it. */
  readonly below?: readonly string[];
  /** Other than the one of this repository. */
  readonly program?: readonly string[];
  /** Gets what kills it, and nobody else where it has ended by then. */
  readonly onStart?: (kill: () => void) => void;
}

/** One run by the command line; what it says of the run is noted, whatever becomes of it. */
export async function runCli(
  scene: Disturbed,
  args: readonly string[],
  { below = [], program: tool = [process.execPath, '--', BIN], onStart }: CommandLine = {},
): Promise<Ended> {
  const [program, ...before] = [...below, ...tool, 'execute', scene.document];
  const child = execa(program, [...before, '--execution-dir', scene.scratch, ...args], {
    cwd: scene.home.folder,
    env: scene.env,
    extendEnv: false,
    reject: false,
    stdin: 'ignore',
    stdout: 'ignore',
    timeout: 110_000,
  });
  onStart?.(() => child.kill('SIGKILL'));
  const { stderr, signal, exitCode } = await child;
  const runId = /^run (\w+) started$/m.exec(stderr)?.[1] ?? null;
  const code = signal === undefined ? (exitCode ?? null) : null;
  if (runId !== null) scene.told.push({ runId, exitCode: code });
  return { exitCode: code, said: stderr.split('\n'), runId };
}
