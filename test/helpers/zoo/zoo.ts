/** The zoo of escapees: one runbook whose script starts a process of each kind (see test/fixtures/zoo/zoo.pl). */
import { randomUUID } from 'node:crypto';
import { chmodSync, copyFileSync, existsSync, linkSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { execaSync } from 'execa';
import { classic, REPOSITORY } from '../cli.ts';
import type { User } from '../plain-user.ts';
import { requires } from '../requires.ts';
import { endAll } from './census.ts';

const PLAINLY = (command: string): string => `${command} &`;
/** These are put out of reach by who starts them. */
const STARTS: Readonly<Record<string, (command: string) => string>> = {
  setsid: (command) => `setsid ${command} &`,
  nohup: (command) => `nohup ${command} &`,
  envi: (command) => `env -i setsid ${command} &`,
  renamed: (command) => `(exec -a '[kworker/0:1]' ${command}) &`,
};
/** All kinds but `main`. */
const KINDS = ['term', 'dfork', 'stop', 'pipe', 'closefd', 'ghost', 'fan', 'hop', ...Object.keys(STARTS)];

/** What all rounds share, in a folder that everybody can read. */
export interface Zoo {
  readonly folder: string;
  /** Makes the folder; again after `close`, if need be. Only where `hasZoo`. */
  furnish(): void;
  /** A folder for one round. Every user may look into it; what the run writes to belongs to `user`. */
  open(user: User): Cage;
  /** Ends whoever is left, and removes everything. */
  close(): Promise<void>;
}

/** One round. All that its script starts has an executable below `folder`. */
export interface Cage {
  readonly folder: string;
  /** HOME and working folder of the runner, with `Zoo.md` in it. */
  readonly home: string;
  readonly env: Readonly<Record<string, string>>;
  /** Path of the file by which a kind says that it is in its place, or whatever else is said by this name. */
  said(name: string): string;
  /** Writes a runbook into the home. @returns its path */
  write(title: string, document: string): string;
  /** The command that is this kind. */
  start(kind: string): string;
  /** A script in bash that starts these kinds and becomes `main`, which says when they are all in their places. */
  script(kinds: readonly string[]): string;
  close(): Promise<void>;
}

/** It takes Linux to know a process by its executable, and perl to be one of those. */
export const hasZoo = existsSync('/proc/self/exe') && requires('perl') && requires('bash');

/** Nothing is there before it is furnished. */
export function createZoo(): Zoo {
  const folder = path.join(tmpdir(), `runbook-zoo-${randomUUID()}`);
  // Private copies: a hard link needs the same file system, and the links are never the system's own file.
  const copyOf = (program: string): string => path.join(folder, `${program}-copy`);
  const program = path.join(folder, 'zoo.pl');
  let rounds = 0;
  return {
    folder,
    furnish: () => {
      mkdirSync(folder);
      for (const name of ['perl', 'bash']) {
        copyFileSync(execaSync('/bin/sh', ['-c', `command -v ${name}`]).stdout, copyOf(name));
        chmodSync(copyOf(name), 0o755);
      }
      copyFileSync(path.join(REPOSITORY, 'test/fixtures/zoo/zoo.pl'), program);
      for (const one of [folder, program]) chmodSync(one, 0o755);
    },
    open: (user) => openCage(path.join(folder, `round-${(rounds += 1)}`), copyOf, program, user),
    close: async () => {
      await endAll(folder);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function openCage(folder: string, copyOf: (program: string) => string, program: string, user: User): Cage {
  const inside = (name: string): string => path.join(folder, name);
  const link = (from: string, to: string): void => {
    linkSync(copyOf(from), inside(to));
  };
  for (const name of ['', 'bin', 'zoo']) mkdirSync(inside(name));
  for (const name of ['home', 'home/tmp', 'ready']) user.folder(inside(name));
  // The script's own shell comes from here as well, and is counted; so does perl, which may be hidden from the runner.
  link('bash', 'bin/bash');
  link('perl', 'bin/perl');
  for (const kind of ['main', ...KINDS]) link('perl', `zoo/${kind}`);
  const write = (title: string, document: string): string => {
    // Read-only for a plain user: the entry of the run goes to the ledger alone.
    writeFileSync(inside(`home/${title}.md`), document);
    return inside(`home/${title}.md`);
  };
  const start = (kind: string): string => `'${inside(`zoo/${kind}`)}' '${program}' ${kind} '${inside('ready')}'`;
  const script: Cage['script'] = (kinds) => {
    return [
      ...kinds.map((kind) => (STARTS[kind] ?? PLAINLY)(start(kind))),
      `exec ${start('main')} ${kinds.join(' ')}`,
    ].join('\n');
  };
  write('Zoo', classic('Zoo', script(KINDS)));
  return {
    folder,
    home: inside('home'),
    env: {
      PATH: `${inside('bin')}:${process.env['PATH'] ?? '/usr/bin:/bin'}`,
      HOME: inside('home'),
      LANG: 'C.UTF-8',
      TMPDIR: inside('home/tmp'),
      // One for all rounds of a user, who would compile the program anew in each home.
      XDG_CACHE_HOME: user.folder(path.join(path.dirname(folder), `code-${user.uid}`)),
      RUNBOOK_STOP_GRACE: '1s',
    },
    said: (name) => inside(`ready/${name}`),
    write,
    start,
    script,
    close: async () => {
      // Those that fork without end end themselves when their file is gone.
      rmSync(inside('ready'), { recursive: true, force: true });
      await endAll(folder);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
