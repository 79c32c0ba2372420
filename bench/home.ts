/** A folder with runbooks, a state folder and a secret of its own, and the built command line in it. */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

export const BIN = path.resolve(import.meta.dirname, '../bin/runbook.js');

export interface Home {
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
  write(name: string, content: string): string;
  /** Node with these arguments, its output thrown away by the system. @throws Error where it fails */
  node(args: readonly string[], env?: Readonly<Record<string, string>>): Promise<void>;
}

/** The folder is gone when `body` has ended. */
export async function withHome(body: (home: Home) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(path.join(tmpdir(), 'runbook-bench-'));
  const write = (name: string, content: string): string => {
    const file = path.join(folder, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, content, { mode: 0o600 });
    return file;
  };
  const env = {
    PATH: process.env['PATH'] ?? '/usr/bin:/bin',
    HOME: folder,
    LANG: 'C.UTF-8',
    RUNBOOK_JWT_SECRET_FILE: write('secret', randomBytes(32).toString('hex')),
  };
  const node: Home['node'] = async (args, more = {}) => {
    const child = spawn(process.execPath, args, { cwd: folder, env: { ...env, ...more }, stdio: 'ignore' });
    const [code] = (await once(child, 'exit')) as [number | null];
    if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}`);
  };
  try {
    await body({ folder, env, write, node });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Tells its own high-water mark when it ends. */
const TELL_PEAK = `import { appendFileSync, readFileSync } from 'node:fs'; process.on('exit', () =>
  appendFileSync(process.env.PEAK_FILE, /VmHWM:\\s*(\\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1] + '\\n'));`;

/** For processes of Node that are to tell their peak memory; `peakMib` gives that of the largest so far. */
export function peakOf(
  home: Home,
  name: string,
): { readonly env: Record<string, string>; readonly peakMib: () => number } {
  const file = path.join(home.folder, `${name.replaceAll(/\W+/g, '-')}.peak`);
  const NODE_OPTIONS = `--import=data:text/javascript,${encodeURIComponent(TELL_PEAK)}`;
  return {
    env: { NODE_OPTIONS, PEAK_FILE: file },
    peakMib: () => Math.max(...readFileSync(file, 'utf8').trim().split('\n').map(Number)) / 1024,
  };
}

/** A runbook of one step. */
export function runbook(title: string, script: string, head = ''): string {
  return `# ${title}\n\nA measurement.\n\n${head}# Steps\n\n## Run\n\`\`\`bash\n${script}\n\`\`\`\n\n# History\n`;
}
