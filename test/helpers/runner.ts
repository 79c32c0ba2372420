/** A step of a job as GitHub's runner starts and reads it: two pipes, a process of its name above the shell, commands. */
import { existsSync, mkdirSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { execa } from 'execa';
import { BIN, cleanEnvironment } from './cli.ts';
import type { Home } from './cli.ts';
import { readCommand } from './runner-commands.ts';
import type { RunnerCommand } from './runner-commands.ts';

export interface StepRun {
  readonly exitCode: number | undefined;
  /** Carried out, in order. */
  readonly commands: readonly RunnerCommand[];
  /** Lines that are shown, what is masked being `***`. */
  readonly log: readonly string[];
  /** What came on both pipes, as it was. */
  readonly raw: string;
  /** Commands are read again in the end. */
  readonly isReading: boolean;
}

/** `runbook ` in the script is the built command line. */
export async function runStep(
  home: Home,
  script: string,
  env: Readonly<Record<string, string>> = {},
): Promise<StepRun> {
  const folder = path.join(home.folder, '.runner');
  mkdirSync(folder, { recursive: true });
  const worker = path.join(folder, 'Runner.Worker');
  if (!existsSync(worker)) symlinkSync('/bin/bash', worker);
  const file = home.write('.step.sh', script.replaceAll('runbook ', `"${process.execPath}" -- "${BIN}" `));
  const { exitCode, stdout, stderr } = await execa(worker, ['-c', 'bash --noprofile --norc -e "$0"; exit $?', file], {
    cwd: home.folder,
    env: {
      ...cleanEnvironment(home.folder),
      CI: 'true',
      GITHUB_ACTIONS: 'true',
      GITHUB_WORKSPACE: home.folder,
      ...env,
    },
    extendEnv: false,
    reject: false,
    stdin: 'ignore',
    timeout: 100_000,
    stripFinalNewline: false,
  });
  // Of what has come on both pipes the runner reads stderr first.
  const raw = stderr + stdout;
  return { exitCode, raw, ...read(raw) };
}

/** `ActionCommandManager.TryProcessCommand`, with the masking of everything that is shown. */
function read(raw: string): Pick<StepRun, 'commands' | 'log' | 'isReading'> {
  const [commands, log, masks]: [RunnerCommand[], string[], string[]] = [[], [], []];
  let stopped: string | null = null;
  // Also a lone CR ends a line there.
  for (const line of raw.split(/\r\n|\r|\n/)) {
    const command = readCommand(line);
    if (command !== null && stopped !== null && command.command === stopped) {
      stopped = null;
    } else if (command !== null && stopped === null) {
      if (command.command === 'stop-commands') stopped = command.message;
      else commands.push(command);
      if (command.command === 'add-mask') masks.push(command.message);
    } else {
      log.push(masks.reduce((text, mask) => text.replaceAll(mask, '***'), line));
    }
  }
  return { commands, log, isReading: stopped === null };
}
