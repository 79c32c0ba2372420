/** `validate --watch`: real changes of real files, as editors make them. */
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { start } from '../helpers/background.ts';
import { BIN, createHome } from '../helpers/cli.ts';
import type { Home } from '../helpers/cli.ts';
import { requires } from '../helpers/requires.ts';
import { CTRL_C, inTerminal } from '../helpers/terminal.ts';

const good = (name: string): string => `# ${name}\n\n# Steps\n\n## One\n\`\`\`bash\ntrue\n\`\`\`\n`;
const bad = (name: string): string => good(name).replace('# Steps', '# Stepps');

function prepared(): Home {
  const home = createHome();
  mkdirSync(path.join(home.folder, 'runbooks'));
  home.write('runbooks/A.md', good('A'));
  home.write('runbooks/B.md', good('B'));
  return home;
}

async function watching(home: Home, ...args: readonly string[]) {
  const watch = start(home, ['validate', '--watch', ...args]);
  await watch.until('stderr', /Watching; Ctrl-C ends it\.\n$/);
  return {
    ...watch,
    /** Interrupts it. @returns how it ended */
    end: async () => {
      process.kill(watch.pid, 'SIGINT');
      return await watch.ended;
    },
  };
}

describe('without a terminal', () => {
  test('everything at once, then what changes; Ctrl-C ends with the last state', async () => {
    const home = prepared();
    const watch = await watching(home);
    await watch.until('stderr', /A\.md: valid\nrunbooks\/B\.md: valid\n2 documents valid\n/);
    home.write('runbooks/A.md', bad('A'));
    await watch.until('stdout', /^runbooks\/A\.md:3:1: error: `Stepps` is nearly/m);
    await watch.until('stderr', /1 of 2 documents invalid\n$/);
    const { exitCode, stdout } = await watch.end();
    expect(exitCode).toBe(65);
    // B has not changed.
    expect(stdout).not.toContain('B.md');
  });

  test('what is repaired ends with 0', async () => {
    const home = prepared();
    home.write('runbooks/A.md', bad('A'));
    const watch = await watching(home);
    await watch.until('stderr', /1 of 2 documents invalid\n/);
    home.write('runbooks/A.md', good('A'));
    await watch.until('stderr', /A\.md: valid\n2 documents valid\n$/);
    expect((await watch.end()).exitCode).toBe(0);
  });

  test('an editor that writes beside and renames, again and again', async () => {
    const home = prepared();
    const watch = await watching(home, './runbooks/A.md');
    for (const [index, content] of [bad('A'), good('A'), bad('A'), good('A')].entries()) {
      const draft = home.write(`runbooks/.A.md.${index}.swp`, content);
      renameSync(draft, path.join(home.folder, 'runbooks/A.md'));
      await watch.until('stderr', index % 2 === 0 ? /invalid\n$/ : /\n1 document valid\n$/);
    }
    const { exitCode, stdout } = await watch.end();
    expect(exitCode).toBe(0);
    expect(stdout.match(/section-misspelt/g)).toHaveLength(2);
  });

  test('an editor that moves the old file away first', async () => {
    const home = prepared();
    const file = path.join(home.folder, 'runbooks/A.md');
    const watch = await watching(home);
    renameSync(file, `${file}~`);
    writeFileSync(file, bad('A'));
    rmSync(`${file}~`);
    await watch.until('stdout', /A\.md:3:1: error/);
    expect((await watch.end()).exitCode).toBe(65);
  });

  test('new documents, deleted ones, and a folder that becomes empty', async () => {
    const home = prepared();
    const watch = await watching(home, 'runbooks');
    home.write('runbooks/C.md', bad('C'));
    await watch.until('stderr', /1 of 3 documents invalid\n$/);
    for (const name of ['A', 'B', 'C']) rmSync(path.join(home.folder, `runbooks/${name}.md`));
    await watch.until('stderr', /runbooks\/C\.md: gone\n[^]*\n?0 documents valid\n$/);
    home.write('runbooks/D.md', good('D'));
    await watch.until('stderr', /D\.md: valid\n1 document valid\n$/);
    expect((await watch.end()).exitCode).toBe(0);
  });

  test('a pattern, also in folders that come later', async () => {
    const home = prepared();
    const watch = await watching(home, 'runbooks/**/*.md');
    mkdirSync(path.join(home.folder, 'runbooks/team/db'), { recursive: true });
    home.write('runbooks/team/db/C.md', bad('C'));
    await watch.until('stderr', /1 of 3 documents invalid\n$/);
    home.write('runbooks/team/db/C.md', good('C'));
    await watch.until('stderr', /3 documents valid\n$/);
    expect((await watch.end()).exitCode).toBe(0);
  });

  test('warnings with --strict; with --quiet only problems', async () => {
    const home = prepared();
    home.write('runbooks/B.md', good('Other'));
    const watch = start(home, ['validate', '--watch', '--strict', '--quiet']);
    await watch.until('stdout', /B\.md:1:1: error: The title/);
    process.kill(watch.pid, 'SIGTERM');
    expect(await watch.ended).toMatchObject({ exitCode: 65, stderr: '' });
  });

  test('nothing to watch is an error at once', async () => {
    const { exitCode, stderr } = await createHome().run(['validate', '--watch', 'none/*.md']);
    expect(stderr).toContain('Nothing matches none/*.md.');
    expect(exitCode).toBe(66);
  });
});

describe.skipIf(!requires('script'))('at a terminal (needs script of util-linux)', () => {
  test('a screenful is drawn anew, and no more than a screenful', async () => {
    const home = prepared();
    for (let index = 0; index < 40; index += 1) home.write(`runbooks/N${index}.md`, bad(`N${index}`));
    const { screen, exitCode } = await inTerminal(
      home.folder,
      ['validate', '--watch'],
      [
        [
          /40 of 42 documents invalid[^]*watching runbooks; Ctrl-C ends it/,
          () => {
            for (let index = 0; index < 40; index += 1) rmSync(path.join(home.folder, `runbooks/N${index}.md`));
          },
        ],
        [/2J2 documents valid[^]*watching runbooks/, CTRL_C],
      ],
      {},
      // A shell in between would end with its own 130.
      (args) => ['exec', process.execPath, '--', BIN, ...args],
    );
    expect(exitCode).toBe(0);
    const [, first = '', ...others] = screen.split('\u{1b}[H\u{1b}[2J');
    expect(others.length).toBeGreaterThan(0);
    expect(first).toMatch(/… and \d+ more lines/);
    expect(first.split('\n').length).toBeLessThanOrEqual(24);
  });
});
