/** Where a user is at home: nowhere, somewhere else in each folder, or where nobody can make anything. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { userInfo } from 'node:os';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import { defaultStateDir, inHome } from '../../src/app/home.ts';
import { BIN, classic, cleanEnvironment, createHome } from '../helpers/cli.ts';
import type { Home } from '../helpers/cli.ts';

/** With these variables, and no others that name places; ended where it takes longer than anything here does. */
async function run(home: Home, args: readonly string[], env: Readonly<Record<string, string>>) {
  const { HOME: _home, XDG_CACHE_HOME: _cache, XDG_STATE_HOME: _state, ...clean } = cleanEnvironment(home.folder);
  const options = {
    cwd: home.folder,
    env: { ...clean, ...env },
    extendEnv: false,
    reject: false,
    stdin: 'ignore',
  } as const;
  return await execa(process.execPath, ['--', BIN, ...args], { ...options, timeout: 30_000, killSignal: 'SIGKILL' });
}

describe('HOME', () => {
  it.each([[], [['HOME', '']]] as const)(
    'unset or empty (%j): all look in the home that the system knows',
    (...env) => {
      const environment = new Map<string, string>(env);
      const home = userInfo().homedir;
      expect(defaultStateDir(environment)).toBe(path.join(home, '.local/state/runbook'));
      expect(inHome(environment, 'XDG_CONFIG_HOME', '.config')).toBe(path.join(home, '.config'));
    },
  );

  it('relative: the ledger would lie in another place for each folder, so there is none', async () => {
    const home = createHome();
    home.write('A.md', classic('A', 'true'));
    const refused = await run(home, ['execute', './A.md'], { HOME: 'relative' });
    expect(refused.stderr).toContain('HOME is not an absolute path');
    expect(refused.stderr).toContain('--state-dir');
    expect(refused.exitCode).toBe(78);
    expect(existsSync(path.join(home.folder, 'relative'))).toBe(false);
    const named = await run(home, ['execute', './A.md', '--state-dir', 'state'], { HOME: 'relative' });
    expect(named.exitCode, named.stderr).toBe(0);
    const xdg = await run(home, ['ps'], { HOME: 'relative', XDG_STATE_HOME: path.join(home.folder, 'x') });
    expect(xdg.exitCode, xdg.stderr).toBe(0);
  });

  it.skipIf(process.platform !== 'linux').each([{ HOME: '/proc/nix' }, { XDG_CACHE_HOME: '/proc/nix/deeper' }])(
    'where nobody can make a folder (%j) nothing waits for ever',
    async (env) => {
      const home = createHome();
      home.write('A.md', classic('A', 'true'));
      const state = 'HOME' in env ? {} : { HOME: home.folder };
      for (const [exit, ...args] of [
        [0, '--version'],
        [0, 'validate', 'A.md'],
        ['HOME' in env ? 74 : 0, 'execute', './A.md'],
      ] as const) {
        const one = await run(home, args, { ...state, ...env });
        expect(one.timedOut, args.join(' ')).toBe(false);
        expect(one.exitCode, one.stderr).toBe(exit);
      }
    },
  );
});
