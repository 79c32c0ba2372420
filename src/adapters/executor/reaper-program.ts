/** Where the reaper is, and what can run it. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { findProgram } from './programs.ts';
import { systemCalls } from './system-calls.ts';

export const INTERPRETERS = ['perl', 'python3'] as const;
export type ReaperInterpreter = (typeof INTERPRETERS)[number];

/** The command line that starts it; a text says in one sentence why there is none. */
export function reaperCommand(
  interpreter: ReaperInterpreter,
  runId: string,
  cgroups: readonly string[],
): readonly string[] | string {
  const calls = systemCalls(process.platform, process.arch);
  if (calls === null) return `${process.platform} on ${process.arch} has no subreaper that is known here`;
  const program = findProgram(interpreter);
  if (program === null) return `${interpreter} is not installed`;
  const numbers = [runId, String(calls.prctl), String(calls.prlimit), String(calls.wait4), ...cgroups];
  return interpreter === 'perl'
    ? [program, libexec('reaper.pl'), ...numbers]
    : // Isolated: nothing of the user's is read.
      [program, '-I', '-S', libexec('reaper.py'), ...numbers];
}

/** `libexec/` is beside `src/` and `dist/`; how deep this module is below one of them is the bundler's choice. */
function libexec(name: string): string {
  for (let folder = import.meta.dirname; ; folder = path.dirname(folder)) {
    const file = path.join(folder, 'libexec', name);
    if (existsSync(file)) return file;
    if (folder === path.dirname(folder)) throw new TypeError(`libexec/${name} is not beside the program`);
  }
}
