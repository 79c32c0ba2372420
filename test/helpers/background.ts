/** Commands that go on beside the test: runs that wait to be let go, and whoever watches them. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { execa } from 'execa';
import { onTestFinished } from 'vitest';
import { BIN, cleanEnvironment } from './cli.ts';
import type { CliResult, Home } from './cli.ts';

/** A script that has come to this point says so, and goes on when it is let go; after a minute by itself. */
export const waitFor = (name: string): string =>
  `echo "$RUNBOOK_RUN_ID" > "$HOME/at-${name}~"; mv "$HOME/at-${name}~" "$HOME/at-${name}"
for _ in $(seq 600); do [ -e "$HOME/go-${name}" ] && break; sleep 0.1; done`;

export interface Started {
  readonly pid: number;
  readonly ended: Promise<CliResult>;
  /** Resolves when what is on stdout and stderr by now, each as it came, fits. */
  until(stream: 'stdout' | 'stderr', pattern: RegExp): Promise<string>;
}

/** @returns at once; the process is ended with the test, by its id */
export function start(home: Home, args: readonly string[], env: Readonly<Record<string, string>> = {}): Started {
  const child = execa(process.execPath, ['--', BIN, ...args], {
    cwd: home.folder,
    env: { ...cleanEnvironment(home.folder), ...env },
    extendEnv: false,
    reject: false,
    stdin: 'ignore',
    stripFinalNewline: false,
    timeout: 100_000,
  });
  const text = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const)
    child[stream].on('data', (chunk: Buffer) => {
      text[stream] += chunk.toString();
    });
  const ended = child.then(({ exitCode, stdout, stderr }) => ({ exitCode, stdout, stderr }));
  onTestFinished(async () => {
    // Both, since a stopped process hears of the first only when it goes on.
    child.kill('SIGTERM');
    child.kill('SIGCONT');
    await ended;
  });
  return {
    pid: child.pid ?? 0,
    ended,
    until: async (stream, pattern) => {
      await eventually(
        () => pattern.test(text[stream]),
        () => `${pattern} in ${stream}:\n${text[stream]}`,
      );
      return text[stream];
    },
  };
}

export interface Waiting extends Started {
  readonly runId: string;
}

/** A run of the document that has come to `name`. */
export async function startRun(
  home: Home,
  document: string,
  name: string,
  options: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<Waiting> {
  home.write('Slow.md', document);
  const started = start(home, ['execute', './Slow.md', '--history', 'ledger', ...options], env);
  const isOver = started.ended.then(({ stderr }) => {
    throw new Error(`the run ended before it came to ${name}:\n${stderr}`);
  });
  isOver.catch(() => {});
  return { ...started, runId: await Promise.race([arrived(home, name), isOver]) };
}

/** @returns the id of the run whose script has come to `name` */
export async function arrived(home: Home, name: string): Promise<string> {
  const file = path.join(home.folder, `at-${name}`);
  await eventually(
    () => existsSync(file),
    () => `a script at ${name}`,
  );
  return readFileSync(file, 'utf8').trim();
}

export function letGo(home: Home, ...names: readonly string[]): void {
  for (const name of names) home.write(`go-${name}`, '');
}

/** @throws Error after a minute */
export async function eventually(check: () => boolean | Promise<boolean>, what: () => string): Promise<void> {
  for (let tries = 0; tries < 1200; tries += 1) {
    if (await check()) return;
    await delay(50);
  }
  throw new Error(`never came: ${what()}`);
}
