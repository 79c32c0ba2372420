/**
 * Real sudo for a user with a password, in a mount namespace: the user, the password, the rules and the tickets are there
 * only for what runs in it, and gone with it. Needs root.
 */
import { appendFileSync, copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { execaSync } from 'execa';
import type { User } from './plain-user.ts';

export const PASSWORD = 'open sesame';
const NAME = 'zookeeper';

/** What stands in the namespace in place of the system's own. */
const REPLACED = ['passwd', 'shadow', 'sudoers', 'pam.d/sudo'] as const;

/** @returns what runs a program there, as root. `folder`: where the replacements lie; only root may write to it */
export function sudoFor(user: User, folder: string): (argv: readonly string[]) => readonly string[] {
  mkdirSync(path.join(folder, 'pam.d'), { recursive: true });
  const file = (name: (typeof REPLACED)[number]): string => path.join(folder, name);
  copyFileSync('/etc/passwd', file('passwd'));
  appendFileSync(file('passwd'), `${NAME}:x:${user.uid}:${user.uid}::${folder}:/bin/sh\n`);
  const { stdout: hash } = execaSync('perl', ['-e', 'print crypt($ARGV[0], q($6$zoo$))', PASSWORD]);
  writeFileSync(file('shadow'), `root:*:19000:0:99999:7:::\n${NAME}:${hash}:19000:0:99999:7:::\n`, { mode: 0o600 });
  // The ticket is for one terminal and one session, as Debian has it.
  const rules = `Defaults timestamp_type=tty, lecture=never, secure_path="/usr/bin:/bin"\n${NAME} ALL=(ALL:ALL) ALL\n`;
  writeFileSync(file('sudoers'), rules, { mode: 0o440 });
  writeFileSync(
    file('pam.d/sudo'),
    'auth required pam_unix.so\naccount required pam_unix.so\nsession required pam_permit.so\n',
  );
  const mounts = REPLACED.map((name) => `mount --bind "$0/${name}" /etc/${name}`);
  const script = ['set -e', ...mounts, 'mount -t tmpfs tmpfs /run', 'exec "$@"'].join('\n');
  return (argv) => ['unshare', '--mount', '/bin/sh', '-c', script, folder, ...argv];
}
