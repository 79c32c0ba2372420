/** Nothing is sent anywhere: no command opens a connection of its own, with a key that lies on this machine. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { execa } from 'execa';
import { describe, expect, test } from 'vitest';
import { BIN, classic, cleanEnvironment, createHome } from '../helpers/cli.ts';
import type { Home } from '../helpers/cli.ts';
import { AUTH, mint } from '../helpers/json-calls.ts';
import { requires } from '../helpers/requires.ts';

/** Every attempt to reach a network while the command runs, by it or by what it starts; and how it ended. */
async function attempts(
  home: Home,
  args: readonly string[],
): Promise<readonly [number | undefined, readonly string[]]> {
  const trace = path.join(home.folder, 'trace');
  const options = ['-f', '-qq', '-o', trace, '-e', 'trace=connect,sendto,sendmsg,bind'];
  const { exitCode } = await execa('strace', [...options, process.execPath, '--', BIN, ...args], {
    cwd: home.folder,
    env: { ...cleanEnvironment(home.folder), ...AUTH },
    extendEnv: false,
    reject: false,
    stdin: 'ignore',
    timeout: 100_000,
  });
  return [
    exitCode,
    readFileSync(trace, 'utf8')
      .split('\n')
      .filter((line) => line.includes('AF_INET')),
  ];
}

describe.skipIf(!requires('strace'))('the network (needs strace)', () => {
  test('is not touched by any command', async () => {
    const home = createHome();
    home.write('A.md', classic('A', 'echo hello', { claims: 'roles: sre' }));
    const token = ['--token-file', await mint(home, '--role', 'sre')];
    const commands = [
      ['--version'],
      ['--help'],
      ['validate', './A.md'],
      ['show', './A.md'],
      ['plan', './A.md', ...token],
      ['execute', './A.md', ...token],
      ['list', '--runbooks-dir', '.'],
      ['history'],
      ['ps'],
      ['config'],
      ['doctor'],
      ['audit', 'verify'],
    ];
    for (const command of commands) expect([command, ...(await attempts(home, command))]).toEqual([command, 0, []]);
  });

  test('would be seen to be touched', async () => {
    const home = createHome();
    // The port of discard: nobody listens there.
    home.write('A.md', classic('A', 'exec 3<>/dev/tcp/127.0.0.1/9 || echo nobody'));
    expect((await attempts(home, ['execute', './A.md']))[1]).toEqual([expect.stringContaining('connect(')]);
  });
});
