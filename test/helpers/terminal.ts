/** Runs the command line in a real pseudo-terminal (script(1) of util-linux) and answers its questions as a person would. */
import { execa } from 'execa';
import { BIN, cleanEnvironment } from './cli.ts';

/** Waited for on the screen, then typed, or done. */
export type Exchange = readonly [prompt: RegExp, answer: string | (() => void)];
export const ENTER = '\r';
export const CTRL_C = '\u0003';
export const CTRL_D = '\u0004';

/** The command line as it lies here, run by whoever runs the tests. */
const OWN = (args: readonly string[]): readonly string[] => [process.execPath, '--', BIN, ...args];

/**
 * @param runbook program and arguments that run the command line, where it is another
 * @returns the screen, and the exit code; every prompt has to appear in its turn, within 100 s
 */
export async function inTerminal(
  folder: string,
  args: readonly string[],
  exchanges: readonly Exchange[],
  env: Readonly<Record<string, string>> = {},
  runbook = OWN,
): Promise<{ readonly screen: string; readonly exitCode: number | undefined }> {
  const command = runbook(args)
    .map((word) => `'${word.replaceAll("'", `'\\''`)}'`)
    .join(' ');
  const child = execa('script', ['--quiet', '--return', '--command', command, '/dev/null'], {
    cwd: folder,
    env: { ...cleanEnvironment(folder), TERM: 'xterm', NO_COLOR: '1', ...env },
    extendEnv: false,
    reject: false,
    stdin: 'pipe',
    timeout: 100_000,
  });
  let screen = '';
  let asked = 0;
  /** What was on the screen when the last answer was given. */
  let seen = 0;
  child.stdout.on('data', (chunk: Buffer) => {
    screen += chunk.toString();
    const [prompt, answer] = exchanges[asked] ?? [];
    if (prompt === undefined || answer === undefined || !prompt.test(screen.slice(seen))) return;
    asked += 1;
    seen = screen.length;
    if (typeof answer === 'string') child.stdin.write(answer);
    else answer();
  });
  const { exitCode } = await child;
  if (asked < exchanges.length) throw new Error(`never asked ${exchanges[asked]?.[0]}; the screen is\n${screen}`);
  return { screen, exitCode };
}
