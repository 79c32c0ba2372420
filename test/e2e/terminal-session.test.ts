/** A script stays in the session of the terminal that its run was started from; tickets of sudo(8) hold only there. */
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { classic, createHome } from '../helpers/cli.ts';
import { ownUser, plainUser } from '../helpers/plain-user.ts';
import { requires } from '../helpers/requires.ts';
import { PASSWORD, sudoFor } from '../helpers/sudo.ts';
import { ENTER, inTerminal } from '../helpers/terminal.ts';
import { createZoo } from '../helpers/zoo/zoo.ts';

/** Field 6 of proc(5): the session. */
const SESSION = `sed 's/.*) //' /proc/$$/stat | cut -d ' ' -f 4`;
const isRoot = process.getuid?.() === 0;

describe.skipIf(!requires('script'))('at a terminal (needs script of util-linux)', () => {
  it('a script has the session of the shell that started its run', async () => {
    const home = createHome();
    home.write('Session.md', classic('Session', `echo "script $(${SESSION})"`));
    const shell = ['/bin/sh', '-c', `echo "shell $(${SESSION})"; "$@"`, 'sh'];
    const { screen, exitCode } = await inTerminal(home.folder, ['execute', './Session.md'], [], {}, (args) => [
      ...shell,
      ...ownUser().program,
      ...args,
    ]);
    expect(exitCode, screen).toBe(0);
    const [, ofShell] = /^shell (\d+)\r?$/m.exec(screen) ?? [];
    expect(Number(ofShell)).toBeGreaterThan(1);
    expect(screen).toMatch(new RegExp(`^script ${ofShell}\\r?$`, 'm'));
  });
});

describe.skipIf(!requires('sudo') || !isRoot || !requires('unshare', '--mount', 'true'))(
  'after sudo -v at a terminal (needs sudo, root and mount namespaces)',
  () => {
    const zoo = createZoo();
    const user = plainUser(zoo.folder);
    beforeAll(() => {
      zoo.furnish();
      user.install();
    });
    afterAll(async () => {
      await zoo.close();
    });

    it.each([
      ['a step may use sudo without a password', 'sudo -v &&', 'sudo -n id -u', 0, /^0\r?$/m],
      ['and may not where nobody has given it', '', 'sudo -n id -u', 1, /password is required/],
      ['and may not from a session of its own', 'sudo -v &&', 'setsid -w sudo -n id -u', 1, /password is required/],
    ])('%s', async (_name, before, body, exit, says) => {
      const cage = zoo.open(user);
      const inNamespace = sudoFor(user, path.join(cage.folder, 'etc'));
      cage.write('Sudo', classic('Sudo', body));
      const { screen, exitCode } = await inTerminal(
        cage.home,
        ['execute', './Sudo.md', '--history', 'ledger'],
        before === '' ? [] : [[/password for \w+: /, `${PASSWORD}${ENTER}`]],
        { ...cage.env },
        (args) => inNamespace(user.command(['/bin/sh', '-c', `${before} exec "$@"`, 'sh', ...user.program, ...args])),
      );
      await cage.close();
      expect(exitCode, screen).toBe(exit);
      expect(screen).toMatch(says);
    });
  },
);
