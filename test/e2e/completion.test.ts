/** Tab in real shells, on a real pseudo-terminal: what is typed, completed, run, and what the command then gets. */
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { BIN, classic, createHome } from '../helpers/cli.ts';
import type { Home } from '../helpers/cli.ts';
import { requires } from '../helpers/requires.ts';
import { inTerminal } from '../helpers/terminal.ts';
import type { Exchange } from '../helpers/terminal.ts';

const STEPS = `# Task

A test.

# Metadata
\`\`\`yaml
tags: k8s, night shift
\`\`\`

# Environment Requirements
\`\`\`yaml
HOST:
  description: Where
  choices: [db-1, web-2]
DB_PASSWORD: of the database
\`\`\`

# Steps

## Service the node
\`\`\`sh
true
\`\`\`

## It's "quoted" now
\`\`\`sh
true
\`\`\`

## Cost in $HOME
\`\`\`sh
true
\`\`\`

## Back\\slash
\`\`\`sh
true
\`\`\`
`;

/** A folder with runbooks, and a `runbook` that notes what it gets, but for what shells ask. */
function prepare(): {
  readonly home: Home;
  readonly noted: () => readonly (readonly string[])[];
  readonly env: Record<string, string>;
} {
  const home = createHome();
  mkdirSync(path.join(home.folder, 'runbooks'));
  mkdirSync(path.join(home.folder, 'programs'));
  home.write('runbooks/Task.md', STEPS);
  for (const name of ['RotateKey', 'two words', "it's", 'do"llar$x', 'b\\ck', 'star*', '再起動'])
    home.write(`runbooks/${name}.md`, classic(name, 'true'));
  const node = `'${process.execPath}' -- '${BIN}'`;
  home.write(
    'programs/runbook',
    `#!/bin/sh\ncase "$1" in\n__complete|completion) exec ${node} "$@" ;;\nesac\nprintf '%s\\0' "$@" >> "$HOME/noted"\necho >> "$HOME/noted"\n`,
  );
  chmodSync(path.join(home.folder, 'programs/runbook'), 0o755);
  const file = path.join(home.folder, 'noted');
  return {
    home,
    env: { PATH: `${path.join(home.folder, 'programs')}:${process.env['PATH'] ?? ''}`, TERM: 'dumb', PS1: 'ready> ' },
    noted: () =>
      existsSync(file)
        ? readFileSync(file, 'utf8')
            .split('\n')
            .slice(0, -1)
            // Some shells take the slash behind a folder away again.
            .map((line) =>
              line
                .split('\0')
                .slice(0, -1)
                .map((word) => word.replace(/\/$/, '')),
            )
        : [],
  };
}

/** Typed (`\t`: Tab) → words that the command gets. What a shell quotes in its own way is typed plainly. */
const COMMON: readonly (readonly [string, readonly string[]])[] = [
  ['runbook exec\tRot\t', ['execute', 'RotateKey']],
  ['runbook run two\t', ['run', 'two words']],
  ['runbook show it\t', ['show', "it's"]],
  ['runbook show do\t', ['show', 'do"llar$x']],
  ['runbook show b\t', ['show', 'b\\ck']],
  ['runbook show sta\t', ['show', 'star*']],
  ['runbook execute Task --from Serv\t', ['execute', 'Task', '--from', 'Service the node']],
  ['runbook execute Task --only It\t', ['execute', 'Task', '--only', 'It\'s "quoted" now']],
  ['runbook execute Task --from Cost\t', ['execute', 'Task', '--from', 'Cost in $HOME']],
  ['runbook execute Task --from Back\t', ['execute', 'Task', '--from', 'Back\\slash']],
  ["runbook execute Task --from 'Serv\t", ['execute', 'Task', '--from', 'Service the node']],
  ['runbook execute Task --from "Cost\t', ['execute', 'Task', '--from', 'Cost in $HOME']],
  ['runbook execute Task --env HO\tw\t', ['execute', 'Task', '--env', 'HOST=web-2']],
  ['runbook execute Task --env DB\t', ['execute', 'Task', '--env', 'DB_PASSWORD']],
  ['runbook execute Task --history led\t', ['execute', 'Task', '--history', 'ledger']],
  ['runbook list --tag ni\t', ['list', '--tag', 'night shift']],
  ['runbook audit ver\t', ['audit', 'verify']],
  ['runbook history --outcome time\t', ['history', '--outcome', 'timed-out']],
  ['runbook validate notes/re\t', ['validate', 'notes/read me.md']],
  ['runbook list --runbooks-dir no\t', ['list', '--runbooks-dir', 'notes']],
];

const SHELLS = {
  bash: { command: ['bash', '--norc', '--noprofile', '-i'], load: 'source <(runbook completion bash)' },
  zsh: {
    command: ['zsh', '-f', '-i'],
    load: 'autoload -U compinit && compinit -u -D && source <(runbook completion zsh)',
  },
  fish: {
    command: [
      'fish',
      '--no-config',
      '-i',
      '-C',
      'function fish_prompt; echo -n "ready> "; end; function fish_greeting; end',
    ],
    load: 'runbook completion fish | source',
  },
} as const;

describe.each(['bash', 'zsh', 'fish'] as const)('%s', (shell) => {
  test.skipIf(!requires(shell))(
    'Tab completes commands, names, steps, variables and files, however they are written',
    async () => {
      const { home, noted, env } = prepare();
      mkdirSync(path.join(home.folder, 'notes'));
      writeFileSync(path.join(home.folder, 'notes/read me.md'), '');
      const { command, load } = SHELLS[shell];
      const lines: Exchange[] = COMMON.map(([typed]) => [/ready> /, `${typed}\r`]);
      const exchanges: Exchange[] = [[/ready> /, `${load}\r`], ...lines, [/ready> /, 'exit\r']];
      const { screen } = await inTerminal(home.folder, [], exchanges, env, () => command);
      expect(noted(), screen).toEqual(COMMON.map(([, words]) => words));
    },
  );
});

describe('what shells ask', () => {
  const ask = async (home: Home, ...words: readonly string[]): Promise<readonly string[]> => {
    const { stdout, stderr, exitCode } = await home.run(['__complete', 'words', ...words]);
    expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 });
    return stdout.split('\n').slice(0, -1);
  };

  test('runs, newest first, and only those under way to be canceled; no ledger is made', async () => {
    const { home } = prepare();
    expect(await ask(home, 'history', '')).toEqual(['none']);
    expect(existsSync(home.stateDir)).toBe(false);
    await home.run(['execute', 'RotateKey', '--history', 'ledger']);
    const [kind, run, ...more] = await ask(home, 'history', '');
    expect(kind).toBe('none');
    expect(run).toMatch(/^[0-9A-Z]{26}\tRotateKey: succeeded \d+s ago$/);
    expect(more).toEqual([]);
    expect(await ask(home, 'cancel', '')).toEqual(['none']);
  });

  test.each([
    [
      'options of a command',
      ['execute', '--keep'],
      ['none', '--keep-workdir\tkeep the work folder (default: failed, of several steps)'],
    ],
    ['values behind =', ['execute', 'Task', '--from=Serv'], ['none', '--from=Service the node\tstep 1']],
    ['nothing behind --', ['execute', '--', '--ke'], ['files']],
    ['a name whatever its case', ['show', 'rotatek'], ['files', 'RotateKey\t']],
    ['the option of Stage0', ['execute', '--runbook', 'Task', '--from', 'B'], ['none', 'Back\\slash\tstep 4']],
    ['no such runbook', ['execute', 'Nope', '--from', ''], ['none']],
    ['no such command', ['nope', ''], ['none']],
    ['several outcomes', ['history', '--outcome', 'failed,canc'], ['none', 'failed,canceled\t']],
    ['shells', ['completion', 'f'], ['none', 'fish\t']],
    [
      'commands of a group',
      ['audit', 'c'],
      ['none', 'copy\tCopy the ledger while others may write to it, and check the copy.'],
    ],
  ])('%s', async (_, words, expected) => {
    const { home } = prepare();
    expect(await ask(home, ...words)).toEqual(expected);
  });

  test('what is wrong elsewhere is not said here: settings, folders, ledgers, words', async () => {
    const { home } = prepare();
    home.write('.runbook.yaml', 'timout: 5m\n');
    expect(await ask(home, 'show', '')).toEqual(['files']);
    home.write('.runbook.yaml', 'runbooks_dir: nowhere\n');
    expect(await ask(home, 'show', '')).toEqual(['files']);
    home.write('.runbook.yaml', '');
    mkdirSync(home.stateDir, { recursive: true });
    writeFileSync(path.join(home.stateDir, 'ledger.sqlite'), 'no ledger');
    expect(await ask(home, 'history', '')).toEqual(['none']);
    for (const words of [[], ['bash'], ['bash', '"', 'x', ''], ['nonsense'], ['--help'], ['words']])
      expect(await home.run(['__complete', ...words])).toMatchObject({ stderr: '', exitCode: 0 });
  });

  test('a name that would move the cursor is not offered', async () => {
    const { home } = prepare();
    home.write('runbooks/evil\u001b[2J.md', '');
    home.write('runbooks/evil\n.md', '');
    expect(await ask(home, 'show', 'evil')).toEqual(['files']);
  });
});
