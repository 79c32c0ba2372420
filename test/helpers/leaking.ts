/** Runs of the real command line with canaries in hand, and every place in which one of them could come to light. */
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import { LEAK, makeCanaries, needlesFor } from './canaries.ts';
import type { Canaries } from './canaries.ts';
import { BIN, cleanEnvironment, createHome } from './cli.ts';
import type { Home } from './cli.ts';

/** Variables that scripts print. */
export const NAMES = 'PLAIN_TOKEN SIGNS_PASSWORD JSON_SECRET PEM_KEY UTF8_SECRET LONG_SECRET DB_URL MADE_SECRET TOLD';
const SAMPLE_MS = 5;
const LONGEST_MS = 60_000;

export interface Traced {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Command lines of the runner and everybody below it, as /proc showed them. */
  readonly commands: ReadonlySet<string>;
  /** Environments of the reaper. */
  readonly environments: ReadonlySet<string>;
  readonly samples: number;
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Sent to the runner when its output has this text. */
  readonly kill?: { readonly when: RegExp; readonly signal: NodeJS.Signals };
  /** A shell line that execs `"$@"`, for limits of the process. */
  readonly through?: string;
}

export interface Trap {
  readonly home: Home;
  readonly canaries: Canaries;
  readonly token: string;
  /** With all canaries in the environment and the PEM in a file. */
  run(args: readonly string[], options?: RunOptions): Promise<Traced>;
  /** `execute` with the token and the PEM. */
  execute(document: string, args?: readonly string[], options?: RunOptions): Promise<Traced>;
  /** What `run` gives besides the least that a user has. */
  readonly environment: Readonly<Record<string, string>>;
  /**
   * Where canaries are found after these runs: `sink: canary: “…”`.
   * @param more secrets that only this scenario has
   */
  hits(runs: readonly Partial<Traced>[], more?: Readonly<Record<string, string>>): readonly string[];
}

/** What all traps together have looked through. */
export const searched = { sinks: 0, bytes: 0 };

export async function setTrap(): Promise<Trap> {
  const home = createHome();
  const canaries = makeCanaries();
  const { JWT_SECRET, PEM_KEY, TOLD, ...variables } = canaries;
  home.write('leak.cjs', LEAK);
  home.write('key.pem', `${PEM_KEY}\n`);
  const minted = await home.run(['token', 'mint', '--subject', 'anna', '--role', 'sre'], { env: { JWT_SECRET } });
  const token = minted.stdout.trim();
  home.write('token', `${token}\n`);
  const environment = { ...variables, JWT_SECRET, TOLD_REVERSED: reversed(TOLD) };

  const run: Trap['run'] = async (args, { env = {}, ...options } = {}) =>
    await trace(home.folder, args, { ...cleanEnvironment(home.folder), ...environment, ...env }, options);
  return {
    home,
    canaries,
    token,
    run,
    execute: async (document, args = [], options = {}) =>
      await run(['execute', document, '--env', 'PEM_KEY=@key.pem', '--token-file', 'token', ...args], options),
    environment,
    hits: (runs, more = {}) => {
      const made = path.join(home.folder, 'made.reversed');
      const { find } = needlesFor({
        ...canaries,
        TOKEN: token,
        ...more,
        ...(existsSync(made) ? { MADE_SECRET: reversed(readFileSync(made, 'utf8')) } : {}),
      });
      const sinks = [
        ...runs.flatMap(shownBy),
        ...filesBelow(home.stateDir),
        ...filesBelow(path.join(home.folder, '.tmp')),
      ];
      for (const name of readdirSync(home.folder).filter((file) => file.endsWith('.md')))
        sinks.push([path.join(home.folder, name), readFileSync(path.join(home.folder, name))]);
      searched.sinks += sinks.length;
      searched.bytes += sinks.reduce((sum, [, content]) => sum + Buffer.byteLength(content), 0);
      return sinks.flatMap(([name, content]) =>
        find(content).map((hit) => `${name.replace(home.folder, '~')}: ${hit}`),
      );
    },
  };
}

type Sink = readonly [name: string, content: string | Buffer];

function shownBy({
  stdout = '',
  stderr = '',
  commands = new Set(),
  environments = new Set(),
}: Partial<Traced>): readonly Sink[] {
  return [
    ['stdout', stdout],
    ['stderr', stderr],
    ...[...commands].map((text): Sink => ['command line', text]),
    ...[...environments].map((text): Sink => ['environment of the reaper', text]),
  ];
}

function filesBelow(folder: string): readonly Sink[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true, recursive: true }).flatMap((entry): readonly Sink[] => {
    const file = path.join(entry.parentPath, entry.name);
    // A name can tell as much as what is in it.
    const name: Sink = [`name of ${entry.name}`, entry.name];
    return entry.isFile() ? [name, [file, readFileSync(file)]] : [name];
  });
}

export function reversed(text: string): string {
  return Array.from(text).reverse().join('');
}

/** The whole story of a script that cannot keep a secret; `also` are further names. */
export function leaking(also = ''): string {
  const names = `${NAMES} ${also}`.trim();
  return [
    'TOLD=$(printf %s "$TOLD_REVERSED" | rev); export TOLD',
    'printf %s "$TOLD" >> "$RUNBOOK_MASK"',
    'printf %s "$MADE_SECRET" | rev > "$HOME/made.reversed"',
    `"${process.execPath}" "$HOME/leak.cjs" ${names}`,
    `for name in ${names}; do`,
    '  value=${!name}',
    '  printf %s "$value" | base64; printf %s "$value" | base64 -w0; echo; printf "%q\\n" "$value"',
    '  printf %s "$value" | od -An -v -tx1 | tr -d " \\n"; echo',
    'done',
    `(set -x; : ${names
      .split(' ')
      .map((name) => `"$${name}"`)
      .join(' ')})`,
    'echo all is said',
  ].join('\n');
}

/** Declares every canary; DB_URL is open, and only its password a secret. */
export const REQUIREMENTS = `# Environment Requirements
\`\`\`yaml
${['PLAIN_TOKEN', 'SIGNS_PASSWORD', 'JSON_SECRET', 'PEM_KEY', 'UTF8_SECRET', 'LONG_SECRET']
  .map((name) => `${name}:\n  description: a canary\n  secret: true\n`)
  .join('')}MADE_SECRET:
  description: a canary
  secret: true
  generate: 40
DB_URL:
  description: an address
TOLD_REVERSED:
  description: no secret as it stands here
\`\`\`
`;

/** A document of steps; each is a yaml block, which may be empty, a script, and what follows it. */
export function documentOf(title: string, steps: readonly Step[], sections = REQUIREMENTS): string {
  const texts = steps.map(({ keys = '', script, rest = '' }, index) => {
    const data = keys === '' ? '' : `\`\`\`yaml\n${keys}\n\`\`\`\n`;
    return `## Step ${index + 1}\n${data}${script === undefined ? '' : `\`\`\`bash\n${script}\n\`\`\`\n`}${rest}`;
  });
  return `# ${title}\n\n${sections}\n# Steps\n\n${texts.join('\n')}`;
}
export interface Step {
  readonly keys?: string;
  readonly script?: string;
  readonly rest?: string;
}

async function trace(
  cwd: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  { kill, through }: RunOptions,
): Promise<Traced> {
  const words = [process.execPath, '--', BIN, ...args];
  const [program = '', ...rest] = through === undefined ? words : ['bash', '-c', through, 'bash', ...words];
  const child = spawn(program, rest, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const seen = { commands: new Set<string>(), environments: new Set<string>(), pids: new Set<number>() };
  const shown = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
  let samples = 0;
  let killed = false;
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].on('data', (chunk: Buffer) => {
      shown[stream].push(chunk);
      if (kill === undefined || killed || !kill.when.test(Buffer.concat(shown[stream]).toString())) return;
      killed = true;
      child.kill(kill.signal);
    });
  }
  const sampler = setInterval(() => {
    samples += 1;
    look(child.pid ?? 0, seen);
  }, SAMPLE_MS);
  const limit = setTimeout(() => child.kill('SIGKILL'), LONGEST_MS);
  onTestFinished(() => {
    for (const pid of seen.pids) if (isOf(pid, cwd)) process.kill(pid, 'SIGKILL');
  });
  const exitCode = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  clearInterval(sampler);
  clearTimeout(limit);
  // Where the runner was killed, what it ran ends by itself a moment later.
  for (let wait = 0; wait < 200 && [...seen.pids].some((pid) => isOf(pid, cwd)); wait += 1) await delay(25);
  const text = (chunks: readonly Buffer[]): string => Buffer.concat(chunks).toString();
  return { exitCode, stdout: text(shown.stdout), stderr: text(shown.stderr), samples, ...seen };
}

interface Seen {
  readonly commands: Set<string>;
  readonly environments: Set<string>;
  readonly pids: Set<number>;
}

/** A process and everybody below it. */
function look(pid: number, seen: Seen): void {
  const command = read(`/proc/${pid}/cmdline`);
  if (command === '') return;
  seen.pids.add(pid);
  seen.commands.add(command);
  if (/reaper|subreaper/.test(command)) seen.environments.add(read(`/proc/${pid}/environ`));
  for (const task of list(`/proc/${pid}/task`))
    for (const child of read(`/proc/${pid}/task/${task}/children`).split(' ').filter(Boolean))
      look(Number(child), seen);
}

/** Whether it is alive and still the one that was seen: its home is that of the test. */
function isOf(pid: number, home: string): boolean {
  return pid !== 0 && read(`/proc/${pid}/environ`).split('\0').includes(`HOME=${home}`);
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

function list(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
