/**
 * A Debian system of its own in a temporary folder, with the smallest set of packages: no Node, no npm, no Python, no curl.
 * Programs run in it with mounts and process numbers of their own, which are gone with them.
 */
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { execa } from 'execa';

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

/** From where this machine has its own packages. @throws where debootstrap fails */
export async function createCleanRoot(): Promise<CleanRoot> {
  const folder = mkdtempSync(path.join(tmpdir(), 'runbook-root-'));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  try {
    const mirror = await mirrorOfThisMachine();
    await execa('debootstrap', ['--variant=minbase', RELEASE, folder, ...(mirror === '' ? [] : [mirror])], {
      timeout: 500_000,
    });
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
