/** Runs the built command line as a user would: the real bundle, a clean environment, a home of its own. */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { execa } from 'execa';
import { onTestFinished } from 'vitest';
import { compiledCode } from './compiled-code.ts';

export const REPOSITORY = path.resolve(import.meta.dirname, '../..');
export const BIN = path.join(REPOSITORY, 'bin/runbook.js');

export interface CliResult {
  readonly exitCode: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

interface Options {
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
  readonly cwd?: string;
  /** The command gets SIGTERM once there is a file of this name in its home. */
  readonly termAt?: string;
}

export interface Home {
  /** Working folder of the command; also its HOME. */
  readonly folder: string;
  readonly stateDir: string;
  /** Writes a file below the folder. @returns its absolute path */
  write(name: string, content: string | Uint8Array): string;
  run(args: readonly string[], options?: Options): Promise<CliResult>;
  /** The one JSON document that the command prints. */
  json(args: readonly string[], options?: Options): Promise<Record<string, unknown>>;
}

/** A private folder for one test, removed after it. */
export function createHome(): Home {
  const folder = mkdtempSync(path.join(tmpdir(), 'runbook-home-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  const home: Home = {
    folder,
    stateDir: path.join(folder, '.local/state/runbook'),
    write: (name, content) => {
      const file = path.join(folder, name);
      writeFileSync(file, content);
      return file;
    },
    run: async (args, { env = {}, input, cwd = folder, termAt } = {}) => {
      const command = execa(process.execPath, ['--', BIN, ...args], {
        cwd,
        env: { ...cleanEnvironment(folder), ...env },
        extendEnv: false,
        reject: false,
        stripFinalNewline: false,
        timeout: 100_000,
        ...(input === undefined ? { stdin: 'ignore' as const } : { input }),
      });
      if (termAt !== undefined) {
        await thereOrEnded(path.join(folder, termAt), command);
        command.kill('SIGTERM');
      }
      const result = await command;
      // Its end would look like that of a run which was canceled.
      if (result.timedOut) throw new Error(`it took longer than 100 s: ${args.join(' ')}\n${result.stderr}`);
      return { exitCode: result.exitCode, stdout: result.stdout, stderr: result.stderr };
    },
    json: async (args, options) => {
      const { stdout } = await home.run([...args, '--json'], options);
      return JSON.parse(stdout) as Record<string, unknown>;
    },
  };
  return home;
}

async function thereOrEnded(file: string, command: Promise<unknown>): Promise<void> {
  const ended = command.then(() => true);
  while (!existsSync(file) && !(await Promise.race([ended, delay(10, false)])));
}

/** What a run leaves (a work folder that is kept, or of a runner that was killed) goes with the folder. */
export function cleanEnvironment(folder: string): Record<string, string> {
  const temporary = path.join(folder, '.tmp');
  mkdirSync(temporary, { recursive: true });
  return {
    PATH: process.env['PATH'] ?? '/usr/bin:/bin',
    HOME: folder,
    LANG: 'C.UTF-8',
    TMPDIR: temporary,
    ...compiledCode(),
  };
}

/** A classic document with the given script; `sections` replaces parts of it. */
export function classic(
  title: string,
  script: string,
  sections: { readonly env?: string; readonly inputs?: string; readonly claims?: string; readonly tag?: string } = {},
): string {
  const claims = sections.claims === undefined ? '' : `# Required Claims\n\`\`\`yaml\n${sections.claims}\n\`\`\`\n\n`;
  return `# ${title}\n\nA test.\n\n# Environment Requirements\n\`\`\`yaml\n${sections.env ?? ''}\n\`\`\`\n\n# File System Requirements\n\`\`\`yaml\n${sections.inputs ?? 'Input:'}\n\`\`\`\n\n${claims}# Script\n\`\`\`${sections.tag ?? 'bash'}\n${script}\n\`\`\`\n\n# History\n`;
}

/** Line of a script: ends its runner, the first of its ancestors that is no reaper. */
export const KILL_RUNNER =
  'p=$PPID; while readlink /proc/$p/exe | grep -q perl; do p=$(ps -o ppid= $p | tr -d " "); done; kill -KILL $p';
