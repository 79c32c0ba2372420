/** Jobs with a terminal of their own, through script(1) of util-linux: what they print passes through us like all output. */
import { execa } from 'execa';
import { shellQuote } from '../../core/contract.ts';
import type { Enclosure, Job } from '../../core/ports.ts';
import { findTerminalProgram } from './programs.ts';

/** @throws RunbookError `unavailable` where there is no script(1) */
export function withPseudoTerminals(enclosure: Enclosure): Enclosure {
  const program = findTerminalProgram();
  return {
    containment: enclosure.containment,
    unenforced: enclosure.unenforced,
    close: async () => await enclosure.close(),
    execute: async (job, signals, onOutput) => {
      if (!job.tty) return await enclosure.execute(job, signals, onOutput);
      const restore = await rememberTerminal();
      try {
        return await enclosure.execute(inPseudoTerminal(job, program), signals, onOutput);
      } finally {
        await restore();
      }
    },
  };
}

/** script(1) hands its command to `$SHELL`, which may be one that quotes in another way; the job still sees its own. */
function inPseudoTerminal(job: Job, program: string): Job {
  const { SHELL: shell, ...env } = job.env;
  const words = job.argv.map(shellQuote).join(' ');
  const command = shell === undefined ? `unset SHELL; exec ${words}` : `SHELL=${shellQuote(shell)} exec ${words}`;
  return {
    ...job,
    argv: [program, '--quiet', '--return', '--flush', '--command', command, '/dev/null'],
    env: { ...env, SHELL: '/bin/sh' },
  };
}

/** script(1) sets the user's terminal to raw and, when it is killed, leaves it so. @returns what undoes that */
async function rememberTerminal(): Promise<() => Promise<void>> {
  const stty = async (...args: readonly string[]): Promise<string | null> => {
    const { exitCode, stdout } = await execa('stty', args, { stdin: 'inherit', stderr: 'ignore', reject: false });
    return exitCode === 0 ? stdout.trim() : null;
  };
  const state = await stty('-g');
  return async () => {
    if (state !== null) await stty(state);
  };
}
