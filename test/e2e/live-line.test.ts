/** The live line of a run, on a real pseudo-terminal: what a person sees while it goes on, and that nothing of it is left. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { classic, createHome } from '../helpers/cli.ts';
import { ownUser } from '../helpers/plain-user.ts';
import { requires } from '../helpers/requires.ts';
import { ESC, seen } from '../helpers/screen.ts';
import { inTerminal } from '../helpers/terminal.ts';
import type { Exchange } from '../helpers/terminal.ts';

const STEPS = (first: string, second = 'true', keys = ''): string =>
  `# Two\n\n# Steps\n\n## First\n${keys === '' ? '' : `\`\`\`yaml\n${keys}\n\`\`\`\n`}\`\`\`bash\n${first}\n\`\`\`\n\n## Second\n\`\`\`bash\n${second}\n\`\`\`\n`;

/** A drawn line: CR, text, and the rest of the line erased. */
const DRAWN = new RegExp(`\\r([^\\r\\n${ESC}]+)${ESC}\\[K`, 'gu');
const drawnIn = (screen: string): readonly string[] => [...screen.matchAll(DRAWN)].map(([, text = '']) => text);

/** In a terminal of such a size. `around` is the shell's command, where `"$@"` is the run. */
async function onScreen(
  folder: string,
  args: readonly string[],
  {
    columns = 80,
    around = '"$@"',
    exchanges = [],
    env = {},
  }: {
    readonly columns?: number;
    readonly around?: string;
    readonly exchanges?: readonly Exchange[];
    readonly env?: Readonly<Record<string, string>>;
  } = {},
): ReturnType<typeof inTerminal> {
  const shell = ['/bin/bash', '-c', `stty cols ${columns} rows 24; ${around}`, 'bash'];
  return await inTerminal(folder, ['execute', ...args], exchanges, env, (words) => [
    ...shell,
    ...ownUser().program,
    ...words,
  ]);
}

describe.skipIf(!requires('script'))('at a terminal (needs script of util-linux)', () => {
  it('says step, time, limit and silence, in few bytes; and goes away', async () => {
    const home = createHome();
    home.write('Two.md', STEPS('echo before; sleep 13; echo after', 'true', 'timeout: 10m'));
    const { screen, exitCode } = await onScreen(home.folder, ['./Two.md']);
    expect(exitCode, screen).toBe(0);
    const drawn = drawnIn(screen);
    expect(
      drawn.some((text) => /^[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏] 1\/2 First {2}\d+s of 10m$/u.test(text)),
      screen,
    ).toBe(true);
    expect(
      drawn.some((text) => / 1\/2 First {2}1\ds of 10m {2}no output for 10s$/.test(text)),
      screen,
    ).toBe(true);
    const { lines, foreign } = seen(screen);
    expect(foreign).toEqual([]);
    const at = lines.indexOf('before');
    expect(lines.slice(at, at + 2)).toEqual(['before', 'after']);
    expect(lines.join('\n')).not.toMatch(/[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏]|no output/u);
    expect(lines.slice(-3).join('\n')).toMatch(
      /1 {2}First +succeeded +13[^]*2 {2}Second +succeeded[^]*run \w+ succeeded/,
    );
    // Once a second, and not more than is in it.
    expect(drawn.length).toBeLessThanOrEqual(2 * 14);
    const bytes = drawn.reduce((sum, text) => sum + Buffer.byteLength(text) + '\r\u{1B}[K'.length, 0);
    console.log(`live line: ${(bytes / 13).toFixed(0)} bytes and ${(drawn.length / 13).toFixed(1)} lines a second`);
    expect(bytes / 13).toBeLessThan(150);
  });

  it('never mixes with what a script prints, on whichever stream', async () => {
    const home = createHome();
    const script = 'for i in $(seq 30); do echo "out $i"; echo "err $i" >&2; sleep 0.1; done';
    home.write('Mixed.md', classic('Mixed', script));
    const { screen } = await onScreen(home.folder, ['./Mixed.md']);
    expect(drawnIn(screen).length).toBeGreaterThan(2);
    const { lines } = seen(screen);
    for (const stream of ['out', 'err'])
      expect(lines.filter((line) => line.startsWith(stream))).toEqual(
        Array.from({ length: 30 }, (_, index) => `${stream} ${index + 1}`),
      );
    expect(lines.filter((line) => /Mixed {2}\d/.test(line))).toEqual([]);
  });

  it('waits while the last line of a script is not finished, and a message begins a line of its own', async () => {
    const home = createHome();
    home.write(
      'Part.md',
      STEPS(
        'printf "copying "; sleep 2; echo done; sleep 2; printf "\\e[31mred\\e[0m\\n\\e[0m"; sleep 2; printf open',
        'true',
      ),
    );
    const { screen } = await onScreen(home.folder, ['./Part.md']);
    const { lines } = seen(screen);
    expect(lines).toContain('copying done');
    expect(lines).toContain('open');
    expect(screen.slice(screen.indexOf('copying '), screen.indexOf('done'))).toBe('copying ');
    expect(drawnIn(screen.slice(screen.indexOf('red')).split('open')[0] ?? '').length).toBeGreaterThan(0);
    expect(lines).toContain('── 2/2 Second');
  });

  it('is cut at the last column, also after the terminal has become narrower', async () => {
    const home = createHome();
    const name = '工事中 and a very long name of a step that fits nowhere';
    home.write('Two.md', STEPS('sleep 5').replace('## First', `## ${name}`));
    const around = '(sleep 2.5; stty cols 30 </dev/tty) & "$@"; wait';
    const { screen } = await onScreen(home.folder, ['./Two.md', '--history', 'ledger'], { columns: 50, around });
    const drawn = drawnIn(screen);
    const width = (text: string): number =>
      Array.from(text).reduce((sum, one) => sum + (/[工事中]/.test(one) ? 2 : 1), 0);
    expect(Math.max(...drawn.map(width))).toBeLessThan(50);
    expect(width(drawn.at(-1) ?? '')).toBeLessThan(30);
    expect(drawn.at(-1)).toMatch(/… {2}\ds$/);
  });

  it.each([
    ['-q', ['-q'], {}],
    ['--no-progress', ['--no-progress'], {}],
    ['TERM=dumb', [], { TERM: 'dumb' }],
    ['CI=true', [], { CI: 'true' }],
  ])('there is none with %s', async (_name, args, env) => {
    const home = createHome();
    home.write('Quiet.md', classic('Quiet', 'sleep 2; echo end'));
    const { screen } = await onScreen(home.folder, ['./Quiet.md', ...args], { env });
    expect(screen).toContain('end');
    expect(screen).not.toContain(ESC);
    expect(screen).not.toMatch(/\r(?!\n)/);
  });

  it('there is none beside a question, nor in a step with a terminal of its own', async () => {
    const home = createHome();
    home.write('Asks.md', STEPS('sleep 1.5; echo step', 'true', 'confirm: Sure?\ntty: true'));
    const later: Exchange[] = [[/Sure\? \[y\/N\] /, 'y\r']];
    const { screen } = await onScreen(home.folder, ['./Asks.md'], { exchanges: later });
    expect(screen).toContain('step');
    expect(drawnIn(screen)).toEqual([]);
  });

  it('stands beside nothing where stdout goes into a file, which gets every byte; a failure shows what was printed there', async () => {
    const home = createHome();
    home.write('Fails.md', classic('Fails', 'seq 20; sleep 2; printf "\\e[1mlast\\e[0m"; echo seen >&2; exit 3'));
    const { screen, exitCode } = await onScreen(home.folder, ['./Fails.md'], { around: '"$@" >out' });
    expect(exitCode).toBe(3);
    expect(readFileSync(path.join(home.folder, 'out'), 'latin1')).toBe(
      `${Array.from({ length: 20 }, (_, index) => `${index + 1}\n`).join('')}\u{1B}[1mlast\u{1B}[0m`,
    );
    const { lines } = seen(screen);
    const at = lines.indexOf('The last 10 lines of its output:');
    expect(lines.slice(at + 1, at + 11)).toEqual([
      ...Array.from({ length: 9 }, (_, index) => `  ${index + 12}`),
      '  last',
    ]);
    expect(lines.slice(at + 11).join('\n')).toMatch(/^runbook: failed: .*\n {2}at Fails\.md:\d+\n/);
  });

  it('what stands right above the end is not repeated', async () => {
    const home = createHome();
    home.write('Fails.md', classic('Fails', 'echo last; exit 3'));
    const { screen } = await onScreen(home.folder, ['./Fails.md']);
    expect(screen.match(/last/g)).toHaveLength(1);
  });

  it('Ctrl-Z takes it away and stops the run’s process, fg brings both back', async () => {
    const home = createHome();
    home.write('Long.md', classic('Long', `echo up; until [ -e ${home.folder}/go ]; do sleep 0.2; done; echo end`));
    const around = `set -m; "$@"; echo "stopped with $?"; sleep 1.5; echo going on; fg; echo "ended with $?"`;
    const { screen } = await onScreen(home.folder, ['./Long.md'], {
      around,
      exchanges: [
        [/Long {2}\ds/, '\u{1A}'],
        [/going on[^]*Long {2}\d+s/, () => home.write('go', '')],
      ],
    });
    expect(screen).toContain('stopped with 148');
    expect(screen).toContain('ended with 0');
    const held = screen.slice(screen.indexOf('stopped with'), screen.indexOf('going on'));
    expect(drawnIn(held)).toEqual([]);
    const { lines } = seen(screen);
    expect(lines.filter((line) => /Long {2}\d/.test(line))).toEqual([]);
    expect(lines).toContain('end');
  });

  it('in the background there is none: the line belongs to the shell', async () => {
    const home = createHome();
    home.write('Long.md', classic('Long', 'sleep 3; echo end'));
    const { screen } = await onScreen(home.folder, ['./Long.md'], { around: 'set -m; "$@" & wait' });
    expect(screen).toContain('end');
    expect(drawnIn(screen)).toEqual([]);
  });

  it('a terminal that is held (Ctrl-S) does not hold the run: its limit holds', async () => {
    const home = createHome();
    const pid = path.join(home.folder, 'pid');
    home.write('Held.md', STEPS(`echo $$ >${pid}; trap "" TERM; sleep 60`, 'true', 'timeout: 4s'));
    const hold = (action: 'TCOOFF' | 'TCOON'): string =>
      `perl -MPOSIX -e 'open(T, "+<", "/dev/tty"); POSIX::tcflow(fileno(T), POSIX::${action})'`;
    const until = (name: string): string => `until [ -e ${home.folder}/${name} ]; do sleep 0.1; done`;
    const around = `{ ${until('hold')}; ${hold('TCOOFF')}; ${until('go')}; ${hold('TCOON')}; } & "$@"; code=$?; wait; exit $code`;
    const run = onScreen(home.folder, ['./Held.md'], {
      around,
      exchanges: [[/First {2}\ds/, () => home.write('hold', '')]],
      env: { RUNBOOK_STOP_GRACE: '1s' },
    });
    const deadline = performance.now() + 60_000;
    const isRunning = (): boolean => !existsSync(pid) || existsSync(`/proc/${readFileSync(pid, 'utf8').trim()}`);
    while (isRunning() && performance.now() < deadline) await delay(100);
    const outlived = isRunning();
    home.write('go', '');
    expect((await run).exitCode).toBe(124);
    expect(outlived).toBe(false);
  });
});
