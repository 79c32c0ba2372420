/**
 * A Debian system of its own in a temporary folder, with the smallest set of packages: no Node, no npm, no Python, no curl.
 * Programs run in it with mounts and process numbers of their own, which are gone with them. `npm run test:long` installs it
 * from Debian's packages; otherwise it is copied from what this machine has of them, which takes a tenth of the time.
 */
import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { execa } from 'execa';
import { isLong } from './property.ts';
import { requiredPackages } from './required-packages.ts';

const RELEASE = 'bookworm';
const PLAIN_UID = 61_235;

/** Mounts what the system needs, and `/opt` so that nobody can write there; then goes in. */
const ENTER = `
mount --bind "$1/opt" "$1/opt" && mount -o remount,ro,bind "$1/opt" && mount -t proc proc "$1/proc" || exit 125
root=$1 user=$2 home=$3; shift 3
exec chroot --userspec="$user:$user" "$root" env -i HOME="$home" PATH=/usr/local/bin:/usr/bin:/bin LANG=C.UTF-8 "$@"`;

export interface CleanRoot {
  /** Its place on this machine. */
  readonly folder: string;
  /** Writes a file that everybody can read, by its path inside. */
  write(file: string, content: string): void;
  link(target: string, file: string): void;
  run(
    user: 'root' | 'plain user',
    argv: readonly string[],
  ): Promise<{ readonly exitCode: number | undefined; readonly all: string }>;
  remove(): void;
}

/** What the system is made with. */
export const MADE_WITH = isLong ? 'debootstrap' : 'dpkg-query';

/** @throws where the system cannot be made */
export async function createCleanRoot(): Promise<CleanRoot> {
  const folder = mkdtempSync(path.join(tmpdir(), 'runbook-root-'));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  try {
    await (isLong ? install(folder) : copy(folder));
    chmodSync(folder, 0o755);
    mkdirSync(path.join(folder, 'srv/plain'), { recursive: true });
    chownSync(path.join(folder, 'srv/plain'), PLAIN_UID, PLAIN_UID);
  } catch (error) {
    remove();
    throw error;
  }
  return {
    folder,
    remove,
    write: (file, content) => {
      mkdirSync(path.dirname(path.join(folder, file)), { recursive: true });
      writeFileSync(path.join(folder, file), content, { mode: 0o644 });
    },
    link: (target, file) => {
      symlinkSync(target, path.join(folder, file));
    },
    run: async (user, argv) => {
      const [uid, home] = user === 'root' ? [0, '/root'] : [PLAIN_UID, '/srv/plain'];
      const { exitCode, all } = await execa(
        'unshare',
        ['--mount', '--pid', '--fork', '--kill-child', 'sh', '-c', ENTER, 'sh', folder, String(uid), home, ...argv],
        { all: true, reject: false, stdin: 'ignore', cwd: '/', timeout: 100_000 },
      );
      return { exitCode, all };
    },
  };
}

/** From where this machine has its own packages. */
async function install(folder: string): Promise<void> {
  const mirror = await mirrorOfThisMachine();
  await execa('debootstrap', ['--variant=minbase', RELEASE, folder, ...(mirror === '' ? [] : [mirror])], {
    timeout: 500_000,
  });
}

/** What an installation makes besides the files of packages, as far as programs need it. */
const MADE_AT_INSTALLATION = [
  ...['/etc/passwd', '/etc/group', '/etc/nsswitch.conf', '/etc/ld.so.cache'],
  ...['/dev/null', '/dev/zero', '/dev/full', '/dev/random', '/dev/urandom', '/dev/tty'],
];
const NOBODY_READS = /^\/usr\/share\/(?:doc|man|info|locale|lintian|bug)\//;

async function copy(folder: string): Promise<void> {
  const { stdout } = await execa('dpkg-query', ['--listfiles', ...(await requiredPackages())]);
  const listed = stdout.split('\n').filter((file) => /^\/[^.]/.test(file) && !NOBODY_READS.test(file));
  const files = [...new Set([...listed, ...alternatives(), ...MADE_AT_INSTALLATION])].filter(
    (file) => lstatSync(file, { throwIfNoEntry: false }) !== undefined,
  );
  // Where `/bin` is a link, packages still have their files there.
  const links = ['bin', 'sbin', 'lib', 'lib64'].filter((name) => lstatSync(`/${name}`).isSymbolicLink());
  for (const name of links) {
    const target = readlinkSync(`/${name}`);
    mkdirSync(path.join(folder, target), { recursive: true });
    symlinkSync(target, path.join(folder, name));
  }
  const list = path.join(folder, 'list');
  writeFileSync(list, files.map((file) => `.${file}\0`).join(''));
  const options = ['--null', '--no-recursion', `--files-from=${list}`];
  const packed = execa('tar', ['--create', '--directory=/', ...options], { buffer: false });
  await packed.pipe('tar', ['--extract', '--keep-directory-symlink', `--directory=${folder}`]);
  rmSync(list);
  for (const made of ['root', 'opt', 'srv', 'usr/local/bin']) mkdirSync(path.join(folder, made), { recursive: true });
}

/** Both links of each name that several packages can stand behind. Those of packages that are not copied lead nowhere. */
function alternatives(): readonly string[] {
  const places = '/var/lib/dpkg/alternatives';
  return readdirSync(places).flatMap((name) => {
    const [, link = ''] = readFileSync(path.join(places, name), 'utf8').split('\n');
    return [link, `/etc/alternatives/${name}`];
  });
}

async function mirrorOfThisMachine(): Promise<string> {
  const { stdout } = await execa(
    'apt-get',
    ['indextargets', '--format', '$(RELEASE) $(REPO_URI)', 'Created-By: Packages'],
    {
      reject: false,
    },
  );
  const lines = stdout.split('\n').map((line) => line.split(' '));
  return lines.find(([release]) => release === RELEASE)?.[1] ?? '';
}
