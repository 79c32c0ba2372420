/** Where a server is put: the root of a container, in a namespace of its own; a port that it may not have. */
import { execa } from 'execa';
import { expect, it } from 'vitest';
import { BIN, classic, cleanEnvironment, createHome } from '../../helpers/cli.ts';
import { requires } from '../../helpers/requires.ts';
import { startServer } from '../../helpers/server.ts';

/** The whole system below an overlay, as in a container; gone with the process. The document is the last argument but the program's. */
const CONTAINER = `set -e
mount -t tmpfs tmpfs /run
mkdir /run/upper /run/work /run/root
mount -t overlay overlay -o lowerdir=/,upperdir=/run/upper,workdir=/run/work /run/root
for place in /proc /dev /sys; do mount --rbind "$place" "/run/root$place"; done
mkdir -p /run/root/runbooks
printf %s "$0" > /run/root/runbooks/Mounted.md
exec chroot /run/root /bin/sh -c 'cd /usr; exec "$@"' sh "$@"`;
const mayMount = requires('unshare', '--mount', 'mount', '-t', 'tmpfs', 'tmpfs', '/run');

it.skipIf(!mayMount)('in a container: /runbooks is served, and a ledger in its own layer is warned of', async () => {
  const server = await startServer({
    below: ['unshare', '--mount', '/bin/sh', '-c', CONTAINER, classic('Mounted', 'echo mounted')],
    env: { RUNBOOKS_DIR: undefined },
  });
  expect(server.said()).toContain(
    'The ledger is on overlay, which does not outlive this machine or container: put RUNBOOK_STATE_DIR on a volume',
  );
  expect((await server.get('/api/config')).text).toContain('"/runbooks"');
  expect((await server.get('/api/runbooks')).json()).toMatchObject({ runbooks: [{ filename: 'Mounted.md' }] });
  expect((await server.execute('Mounted.md')).done()).toMatchObject({ success: true, stdout: 'mounted\n' });
});

it.skipIf(!requires('unshare', '--net', 'setpriv', '--bounding-set=-net_bind_service', 'true'))(
  'a port that needs a privilege: one sentence, what to do, 78',
  async () => {
    const home = createHome();
    const below = ['--net', 'setpriv', '--bounding-set=-net_bind_service', '--inh-caps=-net_bind_service'];
    const args = [process.execPath, '--', BIN, 'serve', '--host', '127.0.0.1', '--port', '80'];
    const { exitCode, stdout, stderr } = await execa('unshare', [...below, ...args], {
      cwd: home.folder,
      env: { ...cleanEnvironment(home.folder), JWT_SECRET: 'an-own-secret-of-the-tests-0123456789abcdef' },
      extendEnv: false,
      reject: false,
      timeout: 60_000,
    });
    expect([exitCode, stdout, stderr]).toEqual([
      78,
      '',
      'runbook: error: This user may not listen on port 80.\n  fix: Choose a port above 1023 with --port (API_PORT), and let a proxy listen on this one.',
    ]);
  },
);
