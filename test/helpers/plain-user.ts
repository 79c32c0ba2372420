/**
 * The built command line as somebody who is not root. A clone may lie where nobody else can read (below /root), so what
 * an installation consists of is copied to where everybody can.
 */
import { chmodSync, chownSync, copyFileSync, cpSync, existsSync, mkdirSync, readdirSync, realpathSync } from 'node:fs';
import path from 'node:path';
import { BIN, REPOSITORY } from './cli.ts';

/** A number that belongs to nobody, so that nothing else runs under it. */
const PLAIN_UID = 61_234;

export interface User {
  /** Puts the program where this user can read it (a copy of some 130 MB, where it is one). */
  install(): void;
  readonly name: 'root' | 'plain user';
  readonly uid: number;
  /** Program and first arguments of the command line that this user can read. */
  readonly program: readonly string[];
  /** Runs a program as this user; the process keeps its number all the way. */
  command(argv: readonly string[]): readonly string[];
  /** Makes the folder, as this user's own. @returns its path */
  folder(path: string): string;
}

/** Whoever runs the tests, with what lies in the repository. */
export function ownUser(): User {
  const uid = process.getuid?.() ?? -1;
  return {
    name: uid === 0 ? 'root' : 'plain user',
    uid,
    install: () => {},
    program: [process.execPath, '--', BIN],
    command: (argv) => argv,
    folder: makeFolder,
  };
}

/** Only root can become somebody else. `place`: a folder that everybody can read; the copy goes there. */
export function plainUser(place: string): User {
  const installation = path.join(place, 'installation');
  return {
    name: 'plain user',
    uid: PLAIN_UID,
    install: () => {
      install(installation);
    },
    program: [path.join(installation, 'node'), '--', path.join(installation, 'bin/runbook.js')],
    command: (argv) => ['setpriv', `--reuid=${PLAIN_UID}`, `--regid=${PLAIN_UID}`, '--clear-groups', ...argv],
    folder: (folder) => {
      chownSync(makeFolder(folder), PLAIN_UID, PLAIN_UID);
      return folder;
    },
  };
}

/** Root and a plain user where the tests run as root, else only who runs them. */
export function users(place: string): readonly User[] {
  return process.getuid?.() === 0 ? [ownUser(), plainUser(place)] : [ownUser()];
}

function makeFolder(folder: string): string {
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  return folder;
}

/** The files of the package, Node itself, and the one dependency that is not in the bundle. */
function install(folder: string): void {
  mkdirSync(folder);
  copyFileSync(process.execPath, path.join(folder, 'node'));
  for (const part of ['bin', 'dist', 'libexec', 'package.json']) {
    const from = path.join(REPOSITORY, part);
    if (existsSync(from)) cpSync(from, path.join(folder, part), { recursive: true });
  }
  const driver = path.join(folder, 'node_modules/better-sqlite3');
  const source = realpathSync(path.join(REPOSITORY, 'node_modules/better-sqlite3'));
  for (const part of ['package.json', 'lib', 'build', 'prebuilds']) {
    const from = path.join(source, part);
    if (existsSync(from)) cpSync(from, path.join(driver, part), { recursive: true, dereference: true });
  }
  openToAll(folder);
}

function openToAll(entry: string): void {
  chmodSync(entry, 0o755);
  for (const found of readdirSync(entry, { recursive: true, withFileTypes: true }))
    chmodSync(path.join(found.parentPath, found.name), 0o755);
}
