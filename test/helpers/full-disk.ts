/** Commands on a disk that is full: a real one, of 16 MiB, in a mount namespace of its own. */
import path from 'node:path';
import { classic } from './cli.ts';
import type { Home } from './cli.ts';
import { inShell } from './shell.ts';

export interface Answer {
  readonly command: string;
  readonly exitCode: number;
  /** stdout and stderr. */
  readonly text: string;
  /** What lies where the ledger does, with sizes. */
  readonly files: string;
}

/**
 * A run is recorded on a disk of 16 MiB that only these processes see; then it is filled but for so many bytes, and the
 * commands come one after the other. `prepare` is done before it is filled, `full` after, and `after` when all is over.
 */
export async function onFullDisk(
  home: Home,
  left: number,
  commands: readonly string[],
  {
    prepare = '',
    full = '',
    after = '',
  }: { readonly prepare?: string; readonly full?: string; readonly after?: string } = {},
): Promise<readonly Answer[]> {
  home.write('Task.md', classic('Task', 'echo printed'));
  const driver = `
mkdir disk && mount -t tmpfs -o size=16m tmpfs disk || exit 99
runbook execute ./Task.md --history ledger --state-dir disk/state -q > /dev/null || exit 98
${prepare}
head -c 64M /dev/zero > disk/fill 2> /dev/null; truncate -s -${left} disk/fill
${full}
ask() {
  runbook "$@" > answer 2>&1; code=$?
  echo "== $* == $code"; ls disk/* -l | awk '/ledger/ { print $9, $5 }'; echo --; cat answer
}
${commands.map((one) => `ask ${one}`).join('\n')}
${after}`;
  home.write('driver', driver.replaceAll('runbook ', `"$NODE" -- "$TOOL" `));
  const { stdout, stderr, exitCode } = await inShell(home, 'unshare -rm bash driver', {
    NODE: process.execPath,
    TOOL: path.resolve(import.meta.dirname, '../../bin/runbook.js'),
  });
  if (stderr !== '' || exitCode !== 0) throw new Error(`${exitCode}: ${stderr}`);
  return stdout
    .split(/^== /m)
    .slice(1)
    .map((part) => {
      const [, command = '', code = '', files = '', text = ''] = /^(.*) == (\d+)\n([^]*?)--\n([^]*)$/.exec(part) ?? [];
      return { command, exitCode: Number(code), text, files };
    });
}
