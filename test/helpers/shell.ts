/** Commands as a user types them into a shell, with pipes and redirections; and how much memory the tool took at most. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { execa } from 'execa';
import { BIN, cleanEnvironment } from './cli.ts';
import type { CliResult, Home } from './cli.ts';

/** `runbook ` in the command is the built command line. */
export async function inShell(
  home: Home,
  command: string,
  env: Readonly<Record<string, string>> = {},
  timeout = 100_000,
): Promise<CliResult> {
  const { exitCode, stdout, stderr } = await execa(
    'bash',
    ['-c', command.replaceAll('runbook ', `"${process.execPath}" -- "${BIN}" `)],
    {
      cwd: home.folder,
      env: { ...cleanEnvironment(home.folder), ...env },
      extendEnv: false,
      reject: false,
      timeout,
    },
  );
  return { exitCode, stdout, stderr };
}

/**
 * The kernel's own high-water mark, told by the process at its very end: exact, where a poll misses the last moments, and
 * `getrusage` counts what the parent had before the program was loaded.
 */
const TELL_PEAK = `import { readFileSync, writeFileSync } from 'node:fs';
process.on('exit', () => writeFileSync(process.env.PEAK_FILE, /VmHWM:\\s*(\\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'))[1]));`;

export interface PeakMeter {
  readonly env: Readonly<Record<string, string>>;
  /** MiB of the process that ended last. */
  readonly peakMiB: () => number;
}

export function createPeakMeter(home: Home): PeakMeter {
  const file = path.join(home.folder, 'peak');
  return {
    env: { PEAK_FILE: file, NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(TELL_PEAK)}` },
    peakMiB: () => (existsSync(file) ? Number(readFileSync(file, 'utf8')) / 1024 : Number.NaN),
  };
}
