/** The manual as programs of the system read it, and help as a person reads it: both from one definition. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Command } from 'commander';
import { execaSync } from 'execa';
import { describe, expect, onTestFinished, test } from 'vitest';
import { SETTING_NAMES, environmentName } from '../../src/core/settings.ts';
import { allCommands, createProgram } from '../../src/cli/program.ts';
import { exampleLines } from '../../src/cli/program/help.ts';
import { manualPages } from '../../src/cli/program/manual.ts';
import { examplesOf, withExamples } from '../../src/cli/program/words.ts';
import { createTerminal } from '../../src/cli/terminal.ts';
import { classic, createHome, REPOSITORY } from '../helpers/cli.ts';
import { requires } from '../helpers/requires.ts';

const FOLDER = path.join(REPOSITORY, 'dist/man');
const program = createProgram(createTerminal(), async () => {});
const COMMANDS = allCommands(program);
const nameOf = (command: (typeof COMMANDS)[number]): string =>
  command.parent === null || command.parent === program ? command.name() : `${command.parent.name()} ${command.name()}`;

/** As a person sees it, in wide lines. */
function shown(page: string): string {
  const { stdout } = execaSync('man', ['-l', path.resolve(FOLDER, page)], {
    env: { MANWIDTH: '400', LANG: 'C.UTF-8', MANPAGER: 'cat', GROFF_NO_SGR: '1' },
  });
  // Bold is written twice.
  return stdout.replaceAll(/.[\b]/g, '');
}

describe.skipIf(!requires('man') || !requires('groff'))('the manual', () => {
  const pages = readdirSync(FOLDER);

  test('has a page for the tool and for every command', () => {
    const expected = ['runbook', ...COMMANDS.map((command) => `runbook-${nameOf(command).replace(' ', '-')}`)];
    expect(pages.toSorted()).toEqual(expected.map((name) => `${name}.1`).toSorted());
  });

  test.each(pages)('%s is set without a warning, and found by what it says', (page) => {
    const file = path.join(FOLDER, page);
    const man = execaSync('man', ['--warnings', '-E', 'UTF-8', '-l', '-Tutf8', '-Z', file], {
      env: { LC_ALL: 'C.UTF-8', MANROFFSEQ: '' },
    });
    expect(man.stderr).toBe('');
    expect(execaSync('groff', ['-ww', '-man', '-Tutf8', file]).stderr).toBe('');
    expect(execaSync('lexgrog', [file]).stdout).toContain(`"${page.replace('.1', '')} - `);
    expect(readFileSync(file, 'utf8')).not.toMatch(/[^\n -~]/);
  });

  test.each(COMMANDS.map((command) => [nameOf(command), command] as const))(
    'of %s has all options and examples',
    (name, command) => {
      const page = shown(`runbook-${name.replace(' ', '-')}.1`);
      for (const { flags, description } of command.options) {
        expect(page).toContain(flags);
        expect(page.replaceAll(/\s+/g, ' ')).toContain(description);
      }
      for (const example of examplesOf(command))
        for (const part of example.split('   # ')) expect(page).toContain(part);
    },
  );

  test('of the tool has every setting and every exit code', () => {
    const page = shown('runbook.1');
    for (const name of SETTING_NAMES) expect(page).toContain(environmentName(name));
    for (const code of [0, 64, 65, 66, 69, 70, 74, 75, 77, 78, 124, 130, 137])
      expect(page).toMatch(new RegExp(`^ +${code} {2}`, 'm'));
  });

  test('of a command shows whatever its definition says, and obeys none of it', () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'runbook-man-'));
    onTestFinished(() => {
      rmSync(folder, { recursive: true });
    });
    const said = [".so x 'y' \\fB\\n(.g", "'in 9", '"a" `b` ^c ~d -e é…', '.TH x'];
    const hostile = new Command('hostile').description(said[0] ?? '');
    for (const [index, text] of said.entries()) hostile.option(`--o${index}`, text);
    for (const [name, text] of manualPages(withExamples(hostile, said), '1'))
      writeFileSync(path.join(folder, name), text);
    const file = path.join(folder, 'hostile.1');
    expect(execaSync('groff', ['-ww', '-man', '-Tutf8', '-k', file]).stderr).toBe('');
    const page = shown(file);
    for (const text of said) expect(page.split(text).length).toBeGreaterThanOrEqual(3);
  });

  test('is part of what npm packs', () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'runbook-pack-'));
    onTestFinished(() => {
      rmSync(folder, { recursive: true });
    });
    const { stdout } = execaSync(
      'npm',
      ['pack', '--dry-run', '--json', '--ignore-scripts', `--pack-destination=${folder}`],
      {
        cwd: REPOSITORY,
        env: { npm_config_cache: folder, npm_config_update_notifier: 'false' },
      },
    );
    expect(stdout).toContain('dist/man/runbook-execute.1');
  });
});

describe('help', () => {
  test.each([
    ['runbook', ['--help']],
    ...COMMANDS.map((command) => [nameOf(command), [...nameOf(command).split(' '), '--help']] as const),
  ] as const)('of %s fits 80 columns, examples first, what all commands have last', async (name, args) => {
    const { stdout, stderr, exitCode } = await createHome().run(args);
    expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 });
    for (const line of stdout.split('\n')) expect(line.length, line).toBeLessThanOrEqual(80);
    const titles = stdout.match(/^[A-Z][a-z ]+:$/gm) ?? [];
    const isGroup = name === 'token' || name === 'audit';
    expect(titles[0]).toBe(isGroup ? 'Usage:' : 'Examples:');
    if (name !== 'runbook') expect(titles.at(-1)).toBe('Common options:');
  });

  test('groups all commands', async () => {
    const { stdout } = await createHome().run([]);
    expect(stdout.match(/^[A-Z][a-z ]+:$/gm)).toEqual([
      'Examples:',
      'Usage:',
      'Run:',
      'Look:',
      'Documents:',
      'Machine:',
      'Options:',
    ]);
    for (const { name } of program.commands.map((one) => ({ name: one.name() })))
      expect(stdout).toMatch(new RegExp(`^  ${name}\\b`, 'm'));
  });

  test('is the same by `help COMMAND`, and knows what was meant', async () => {
    const home = createHome();
    for (const words of [['execute'], ['run'], ['audit', 'verify']])
      expect((await home.run(['help', ...words])).stdout).toBe((await home.run([...words, '--help'])).stdout);
    expect((await home.run(['help'])).stdout).toBe((await home.run(['--help'])).stdout);
    expect(await home.run(['help', 'exceute'])).toMatchObject({
      exitCode: 64,
      stderr: expect.stringMatching(/Did you mean “execute”/),
    });
  });

  test.each([
    ['short', ['  short']],
    ['short   # why', ['  short   # why']],
    [`${'x'.repeat(30)} ${'y'.repeat(40)}   # why`, ['  # why', `  ${'x'.repeat(30)} ${'y'.repeat(40)}`]],
    [`${'x'.repeat(50)} 'a b' ${'y'.repeat(30)}`, [`  ${'x'.repeat(50)} 'a b' \\`, `      ${'y'.repeat(30)}`]],
  ])('an example that is too long goes on below: %s', (example, expected) => {
    expect(exampleLines(example, 80)).toEqual(expected);
  });
});

describe('what was meant', () => {
  test.each([
    ['a runbook for a command', ['rotatekey'], 64, /Unknown command.*\n.*`runbook execute RotateKey` runs it/],
    ['a command', ['exceute'], 64, /Did you mean execute/],
    ['a runbook', ['execute', 'RotatKey'], 66, /Did you mean “RotateKey” or “RotateKeys”\?/],
    ['an outcome', ['history', '--outcome', 'succeded'], 64, /Did you mean “succeeded”\?/],
    ['an option', ['execute', '--evn', 'A=1'], 64, /Did you mean --env\?/],
    ['an option that is longer', ['new', '--no-inp'], 64, /Did you mean --no-input\?/],
    ['a command of a group', ['audit', 'verfy'], 64, /Unknown command 'audit verfy'.*\n.*Did you mean “verify”\?/],
    [
      'the same behind an option',
      ['audit', '--state-dir', '.', 'verfy'],
      64,
      /'audit verfy'.*\n.*Did you mean “verify”\?/,
    ],
    ['a run', ['cancel'], 64, /Missing required argument 'run'.*\n.*`runbook ps`/],
    ['a folder', ['execute', '.'], 64, /is a folder, not a runbook/],
    ['the same with its options', ['token', 'mnit', '--subject', 'a'], 64, /'token mnit'.*\n.*Did you mean “mint”\?/],
    [
      'a choice',
      ['list', '--sort', 'lst'],
      64,
      /--sort: “lst” is not one of name, last, age\.\n.*Did you mean “last”\?/,
    ],
    ['a shell', ['completion', 'fihs'], 64, /<shell>: “fihs” is not one of bash, zsh, fish\.\n.*Did you mean “fish”\?/],
    ['nothing', ['audit', '--json'], 64, /No command of `runbook audit` is named/],
    ['nothing of the other', ['token', '--json'], 64, /No command of `runbook token` is named/],
  ])('%s', async (_, args, exit, expected) => {
    const home = createHome();
    execaSync('mkdir', [path.join(home.folder, 'runbooks')]);
    for (const name of ['RotateKey', 'RotateKeys', 'Other']) home.write(`runbooks/${name}.md`, classic(name, 'true'));
    const { stderr, exitCode } = await home.run(args);
    expect(stderr).toMatch(expected);
    expect(exitCode).toBe(exit);
  });
});
