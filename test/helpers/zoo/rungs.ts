/** The ways of containment, and how a runner is put where one of them is what it gets; found out by trying. */
import { randomUUID } from 'node:crypto';
import { chownSync, existsSync, mkdirSync, readdirSync, rmdirSync } from 'node:fs';
import path from 'node:path';
import { execa } from 'execa';
import { classic } from '../cli.ts';
import type { User } from '../plain-user.ts';
import type { Zoo } from './zoo.ts';

export interface Rung {
  readonly name: string;
  /** Nobody survives. The other ends what it can reach. */
  readonly holds: boolean;
  readonly env: Readonly<Record<string, string>>;
  /** Limits that it can hold. */
  readonly limits: ReadonlySet<'memory' | 'processes'>;
  /** Folders in which its runs have control groups of their own. */
  readonly groupsIn: readonly string[];
  /** Program and arguments that run these as the user, where this rung is the highest. The process keeps its number. */
  runbook(user: User, args: readonly string[]): readonly string[];
}

interface Containment {
  readonly rung: string;
  readonly reaper: string | null;
  readonly cgroups: readonly string[];
}

/** Where version 2 is, alone or beside version 1. */
const UNIFIED = ['/sys/fs/cgroup/unified', '/sys/fs/cgroup'].find((folder) =>
  existsSync(path.join(folder, 'cgroup.procs')),
);
const HIDE_PERL =
  'for perl in /usr/bin/perl /bin/perl /usr/local/bin/perl; do [ ! -e $perl ] || mount --bind /dev/null $perl; done';
const HIDE_V1 =
  'while read -r _ folder type _; do [ "$type" != cgroup ] || umount "$folder" || exit 1; done < /proc/mounts';

/** In a mount namespace of its own, after these commands: nobody else sees what is hidden there. `words` are their arguments. */
function after(commands: string, argv: readonly string[], ...words: readonly string[]): readonly string[] {
  return [
    'unshare',
    '--mount',
    '/bin/sh',
    '-c',
    `${commands}; shift ${words.length}; exec "$@"`,
    'sh',
    ...words,
    ...argv,
  ];
}

/** The candidates, each with what the record of a run must say of it. `delegated`: a cgroup that the plain user was given. */
function candidates(
  delegated: string | null,
): readonly (Omit<Rung, 'groupsIn' | 'limits'> & { fits(found: Containment): boolean })[] {
  const plainly: Rung['runbook'] = (user, args) => user.command([...user.program, ...args]);
  const v2 = (found: Containment): boolean => found.cgroups.every((folder) => folder.startsWith(`${UNIFIED ?? ''}/`));
  return [
    {
      name: 'cgroup v1',
      holds: true,
      env: {},
      runbook: plainly,
      fits: (found) => found.rung === 'cgroup' && !v2(found),
    },
    {
      name: 'cgroup v2',
      holds: true,
      env: {},
      runbook: (user, args) =>
        user.uid === 0 || delegated === null
          ? after(HIDE_V1, plainly(user, args))
          : after(`echo 0 > "$1"; ${HIDE_V1}`, plainly(user, args), path.join(delegated, 'cgroup.procs')),
      fits: (found) => found.rung === 'cgroup' && v2(found),
    },
    {
      name: 'reaper in perl',
      holds: true,
      env: { RUNBOOK_CONTAINMENT: 'reaper' },
      runbook: plainly,
      fits: (found) => found.rung === 'reaper' && found.reaper === 'perl',
    },
    {
      name: 'reaper in python3',
      holds: true,
      env: { RUNBOOK_CONTAINMENT: 'reaper' },
      runbook: (user, args) => after(HIDE_PERL, plainly(user, args)),
      fits: (found) => found.rung === 'reaper' && found.reaper === 'python3',
    },
    {
      name: 'process group',
      holds: false,
      env: { RUNBOOK_CONTAINMENT: 'process-group' },
      runbook: plainly,
      fits: (found) => found.rung === 'process-group',
    },
  ];
}

/** A cgroup of version 2 that belongs to a plain user, as systemd delegates one; nothing is there before it is made. */
export interface Delegated {
  readonly folder: string;
  make(): void;
  /** Throws while somebody is in it. */
  remove(): void;
}

/** Null where none can be made. */
export function delegate(user: User | null): Delegated | null {
  if (user === null || UNIFIED === undefined || process.getuid?.() !== 0) return null;
  const folder = path.join(UNIFIED, `runbook-zoo-${randomUUID()}`);
  const delegated: Delegated = {
    folder,
    make: () => {
      mkdirSync(folder);
      for (const name of ['', 'cgroup.procs', 'cgroup.subtree_control'])
        chownSync(path.join(folder, name), user.uid, user.uid);
    },
    remove: () => {
      for (const entry of readdirSync(folder, { withFileTypes: true }))
        if (entry.isDirectory()) rmdirSync(path.join(folder, entry.name));
      rmdirSync(folder);
    },
  };
  try {
    delegated.make();
    delegated.remove();
    return delegated;
  } catch {
    return null;
  }
}

const PROBE = classic('Probe', 'true').replace(
  '# Script',
  '# Limits\n```yaml\nmemory: 64MiB\nprocesses: 64\n```\n\n# Script',
);

/** Of the rungs that are wanted, those that this user gets on this machine. */
export async function rungsOf(
  zoo: Zoo,
  user: User,
  delegated: string | null,
  isWanted: (name: string) => boolean,
): Promise<readonly Rung[]> {
  const found: Rung[] = [];
  for (const candidate of candidates(delegated).filter(({ name }) => isWanted(name))) {
    const cage = zoo.open(user);
    const options = {
      cwd: cage.home,
      env: { ...cage.env, ...candidate.env },
      extendEnv: false,
      reject: false,
      stdin: 'ignore',
      timeout: 60_000,
    } as const;
    const run = async (...args: readonly string[]): Promise<{ readonly stdout: string; readonly stderr: string }> => {
      const [program = '', ...rest] = candidate.runbook(user, args);
      return await execa(program, rest, options);
    };
    const { stderr } = await run('execute', cage.write('Probe', PROBE), '--history', 'ledger');
    const unheld = /limits? (.*) cannot be held here/.exec(stderr)?.[1] ?? '';
    const { stdout: history } = await run('history', '--json');
    const { runs = [] } = (history === '' ? {} : JSON.parse(history)) as { runs?: { containment: Containment }[] };
    const containment = runs[0]?.containment;
    if (containment !== undefined && candidate.fits(containment))
      found.push({
        ...candidate,
        limits: new Set((['memory', 'processes'] as const).filter((limit) => !unheld.includes(limit))),
        groupsIn: containment.cgroups.map((folder) => path.dirname(folder)),
      });
    await cage.close();
  }
  return found;
}
