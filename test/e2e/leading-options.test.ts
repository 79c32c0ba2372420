import { describe, expect, test } from 'vitest';
import { behindTheCommand } from '../../src/cli/leading-options.ts';
import { createProgram } from '../../src/cli/program.ts';
import { createTerminal } from '../../src/cli/terminal.ts';
import { createHome } from '../helpers/cli.ts';

const PROGRAM = createProgram(createTerminal(), async () => {});
const moved = (line: string): string => behindTheCommand(PROGRAM, line.split(' ')).join(' ');

describe('common options before the command', () => {
  test.each([
    ['--json list', 'list --json'],
    ['-q --state-dir /tmp/a history last', 'history -q --state-dir /tmp/a last'],
    ['--state-dir=/tmp/a --json audit verify --outputs', 'audit verify --state-dir=/tmp/a --json --outputs'],
    ['--no-color run A -- --json', 'run --no-color A -- --json'],
    // A folder that is called like a command is a folder.
    ['--runbooks-dir list show A', 'show --runbooks-dir list A'],
    // The mistake is then told of the word that is wrong.
    ['--json lsit', 'lsit --json'],
  ])('%s is understood', (typed, understood) => {
    expect(moved(typed)).toBe(understood);
  });

  test.each([
    'list --json',
    '--version',
    '--json',
    '--yes execute A',
    '--state-dir',
    '-x list',
    '-- list',
    'execute --env -q',
  ])('%s stays as it is', (typed) => {
    expect(moved(typed)).toBe(typed);
  });
});

test('what is missing is told with the help of its own command', async () => {
  const { exitCode, stderr } = await createHome().run(['--no-color', 'token', 'mint']);
  expect({ exitCode, stderr }).toEqual({
    exitCode: 64,
    stderr:
      "runbook: error: Required option '--subject <name>' not specified.\n  fix: `runbook token mint --help` shows how it is called.\n",
  });
  expect((await createHome().run(['run', '--tokn'])).stderr).toContain('Did you mean --token?');
  const { stdout } = await createHome().run(['--json', 'cancel']);
  expect(JSON.parse(stdout)).toMatchObject({ command: 'cancel', error: { code: 'usage' } });
});
