/** Which Debian packages a system cannot be without, among those that are installed on this machine. */
import { execa } from 'execa';

interface Package {
  /** As dpkg tells it from one of another architecture: `libc6:amd64`. */
  readonly name: string;
  readonly isRequired: boolean;
  /** Each of them by the names that would do. */
  readonly depends: readonly (readonly string[])[];
}

const FIELDS = [
  '${binary:Package}',
  '${Package}',
  '${Provides}',
  '${Essential} ${Priority}',
  '${Pre-Depends},${Depends}',
];

/** The essential and required ones, `apt`, and whatever these depend on, and no other: as `debootstrap --variant=minbase` has it. */
export async function requiredPackages(): Promise<readonly string[]> {
  const { stdout } = await execa('dpkg-query', ['--show', `--showformat=${FIELDS.join('\\t')}\\n`]);
  const byName = new Map<string, Package>();
  for (const line of stdout.split('\n')) {
    const [name = '', plain = '', provides = '', kind = '', depends = ''] = line.split('\t');
    const found: Package = {
      name,
      isRequired: plain === 'apt' || /\byes\b|\brequired\b/.test(kind),
      depends: namesIn(depends),
    };
    byName.set(plain, found);
    for (const [provided = ''] of namesIn(provides)) if (!byName.has(provided)) byName.set(provided, found);
  }
  const wanted = new Set([...byName.values()].filter(({ isRequired }) => isRequired));
  // What is added while it goes round is gone through as well.
  for (const { depends } of wanted) {
    for (const names of depends) {
      const found = names.map((name) => byName.get(name)).find((one) => one !== undefined);
      if (found !== undefined) wanted.add(found);
    }
  }
  return [...wanted].map(({ name }) => name);
}

/** `a (>= 1), b | c:any` is `[[a], [b, c]]`. */
function namesIn(list: string): readonly (readonly string[])[] {
  return list
    .split(',')
    .map((alternatives) => alternatives.split('|').flatMap((text) => /^\s*([\w.+-]+)/.exec(text)?.[1] ?? []))
    .filter((names) => names.length > 0);
}
