/** Where this process is in the trees of control groups (cgroups(7)), and in which of them it may make a group. */
import { existsSync, readFileSync, realpathSync, statfsSync } from 'node:fs';
import path from 'node:path';

export interface Hierarchy {
  readonly version: 1 | 2;
  /** Of version 1; of version 2 they are in `cgroup.controllers` of each group. */
  readonly controllers: readonly string[];
  /** Folder of the group that this process is in. */
  readonly own: string;
}

/** None where there are none. */
export function findHierarchies(): readonly Hierarchy[] {
  let mounts: string;
  let memberships: string;
  try {
    mounts = readFileSync('/proc/self/mountinfo', 'utf8');
    memberships = readFileSync('/proc/self/cgroup', 'utf8');
  } catch {
    return [];
  }
  return parseHierarchies(mounts, memberships).filter(({ own }) => existsSync(path.join(own, 'cgroup.procs')));
}

/** Of the texts of `/proc/self/mountinfo` and `/proc/self/cgroup`. */
export function parseHierarchies(mounts: string, memberships: string): readonly Hierarchy[] {
  const found: Hierarchy[] = [];
  for (const line of mounts.split('\n')) {
    // id parent major:minor root mount-point options … - type source super-options
    const [before = '', after = ''] = line.split(' - ');
    const [, , , root = '/', mountPoint = ''] = before.split(' ').map(unescapeMount);
    const [type, , options = ''] = after.split(' ');
    if (type !== 'cgroup' && type !== 'cgroup2') continue;
    const controllers = type === 'cgroup' ? options.split(',') : [];
    const membership = memberships
      .split('\n')
      .map((text) => /^(\d+):([^:]*):(.*)$/.exec(text))
      .find((match) =>
        type === 'cgroup2'
          ? match?.[1] === '0'
          : match?.[2]?.split(',').some((name) => name !== '' && controllers.includes(name)),
      );
    if (membership === undefined || membership === null) continue;
    const inTree = membership[3] ?? '/';
    // In a container the mount shows a part of the tree only, and the name may be from outside of it.
    const below = inTree === root ? '/' : inTree.startsWith(`${root}/`) ? inTree.slice(root.length) : inTree;
    found.push({
      version: type === 'cgroup2' ? 2 : 1,
      controllers: type === 'cgroup' ? controllers : [],
      own: path.join(mountPoint, below),
    });
  }
  return found;
}

/** Magic numbers of file systems of control groups (statfs(2)), which hold nothing else: versions 1 and 2. */
const CGROUP_FILE_SYSTEMS = new Set([0x27_e0_eb, 0x63_67_72_70]);

/** Whether a folder, by no link, is a control group and not only called like one. */
export function isControlGroup(folder: string): boolean {
  try {
    return realpathSync(folder) === folder && CGROUP_FILE_SYSTEMS.has(statfsSync(folder).type);
  } catch {
    return false;
  }
}

/** Blanks are written `\040` there. */
function unescapeMount(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_, digits: string) => String.fromCodePoint(Number.parseInt(digits, 8)));
}
