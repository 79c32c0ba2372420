/** A document that cannot be written, or is another by the end of its run: the ledger has the run, the entry follows when it can. */
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { execaSync } from 'execa';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ownUser, plainUser } from '../helpers/plain-user.ts';
import type { User } from '../helpers/plain-user.ts';
import { examine, NOTHING_WRONG } from '../helpers/oracle.ts';
import { requires } from '../helpers/requires.ts';
import { createScene, runCli } from '../helpers/scene.ts';
import type { Disturbed, Ended } from '../helpers/scene.ts';

const FILE = ['--history', 'file'];
const canProtect = requires('sh', '-c', 'f=$(mktemp) && trap "rm $f" EXIT && chattr +i "$f" && chattr -i "$f"');
const isRoot = process.getuid?.() === 0;

interface Trouble {
  /** What happens to the document (`$DOC`) while the script runs; a copy is in `$DOC.copy`. */
  readonly during: string;
  /** What makes it writable again. */
  readonly repair: string;
  /** What the warning says; null: the entry is written at once. */
  readonly says: RegExp | null;
}

const BACK = 'rm -rf "$DOC"; cp "$DOC.copy" "$DOC"';
const TROUBLES: Readonly<Record<string, Trouble>> = {
  'is deleted': { during: 'rm "$DOC"', repair: BACK, says: /ENOENT/ },
  'is a folder by then': { during: 'rm "$DOC"; mkdir "$DOC"', repair: BACK, says: /EISDIR|not a regular file/ },
  'is a link by then, to another file': {
    during: 'mv "$DOC" "$DOC.real"; ln -s "$DOC.real" "$DOC"',
    repair: 'rm "$DOC"; mv "$DOC.real" "$DOC"',
    says: /ELOOP/,
  },
  'lies in a folder that was moved': {
    during: 'mv "$(dirname "$DOC")" "$HOME/moved"',
    repair: 'mv "$HOME/moved" "$(dirname "$DOC")"',
    says: /ENOENT/,
  },
  'is replaced by an editor, which renames': {
    during: 'sed "s/^# Effect$/# Effect, edited/" "$DOC" > "$DOC.new"; mv "$DOC.new" "$DOC"',
    repair: 'true',
    says: null,
  },
  'is rewritten by an editor, without its history': {
    during: 'sed "/^# History/,$ d" "$DOC.copy" > "$DOC"',
    repair: 'true',
    says: null,
  },
  'is taken back to another state by git': {
    during: 'cd "$(dirname "$DOC")"; git -c core.hooksPath=/dev/null checkout -q HEAD -- Effect.md',
    repair: 'true',
    says: null,
  },
};

/** The document in a folder of its own, with one entry; what `$DURING` says happens in each run. */
async function prepare(isInGit = false): Promise<Disturbed> {
  const scene = createScene('cd "$HOME"; eval "${DURING:-true}"; printf x');
  const document = path.join(scene.home.folder, 'books/Effect.md');
  shell('mkdir books; mv Effect.md books', scene);
  const git = 'git -c user.name=a -c user.email=a@example.invalid -c core.hooksPath=/dev/null';
  if (isInGit) shell(`cd books; ${git} init -q; ${git} add .; ${git} commit -qm first`, scene);
  const prepared = { ...scene, document, documents: [document] };
  expect((await runCli(prepared, FILE)).exitCode).toBe(0);
  writeFileSync(`${document}.copy`, readFileSync(document));
  return prepared;
}

const withTrouble = (scene: Disturbed, during: string): Disturbed => ({
  ...scene,
  env: { ...scene.env, DURING: during, DOC: scene.document },
});

/** Runs with the trouble, repairs it, and looks at the history, which is when somebody looks after runs. */
async function meet(scene: Disturbed, { during, repair, says }: Trouble, user: User): Promise<Ended> {
  const ended = await runAs(user, withTrouble(scene, during));
  const history = (...args: readonly string[]): string => {
    const [program = '', ...before] = user.command([...user.program, 'history', ...args]);
    return execaSync(program, before, { cwd: '/', env: scene.env, extendEnv: false }).stdout;
  };
  expect(JSON.parse(history(ended.runId ?? '', '--json'))).toMatchObject({
    run: { result: { outcome: 'succeeded' } },
    entryPending: says !== null,
  });
  shell(repair, scene);
  history();
  return ended;
}

const runAs = async (user: User, scene: Disturbed, options = PASSING): Promise<Ended> =>
  await runCli(scene, options, { program: user.command(user.program) });

function shell(command: string, { document, home }: Disturbed): void {
  execaSync('sh', ['-c', command], { cwd: home.folder, env: { DOC: document, HOME: home.folder } });
}

const PASSING = ['--pass-env', 'DURING', '--pass-env', 'DOC', ...FILE];

describe('a document that, while its script runs,', () => {
  it.each(Object.entries(TROUBLES))('%s', async (name, trouble) => {
    const scene = await prepare(name.endsWith('by git'));
    const ended = await meet(scene, trouble, ownUser());
    expect(ended.exitCode).toBe(0);
    const warnings = ended.said.filter((line) => line.includes('warning: The entry could not be written'));
    if (trouble.says === null) expect(warnings).toEqual([]);
    else expect(warnings).toEqual([expect.stringMatching(trouble.says)]);
    const { findings } = await examine(scene, scene.told);
    // Who threw the text of the history away threw away the entry of the run before.
    const { missingEntries, ...rest } = findings;
    expect(rest).toEqual(withoutMissing);
    expect(missingEntries.filter((line) => line.includes(ended.runId ?? '?'))).toEqual([]);
  });
});

const { missingEntries: _none, ...withoutMissing } = NOTHING_WRONG;

/** Nobody may write the document: by an attribute for root, by its permissions for others. */
const PROTECTED: Readonly<Record<string, readonly [boolean, Trouble]>> = {
  'that root has protected (needs chattr)': [
    canProtect,
    { during: 'chattr +i "$DOC"', repair: 'chattr -i "$DOC"', says: /EPERM/ },
  ],
  'that its user may not write any more': [
    !isRoot || requires('setpriv'),
    {
      during: 'chmod 0400 "$DOC"; chmod 0500 "$(dirname "$DOC")"',
      repair: 'chmod 0700 "$(dirname "$DOC")"; chmod 0600 "$DOC"',
      says: /EACCES/,
    },
  ],
};

describe.each(Object.entries(PROTECTED))('a document %s', (name, [isPossible, trouble]) => {
  it.skipIf(!isPossible)('is refused before the start, or left alone, or gets its entry later', async () => {
    const scene = await prepare();
    const user = name.includes('root') || !isRoot ? ownUser() : plainUserOf(scene);
    onTestFinished(() => {
      shell(trouble.repair, scene);
    });
    const ended = await meet(scene, trouble, user);
    expect(ended.exitCode).toBe(0);
    expect(ended.said).toContainEqual(expect.stringMatching(trouble.says ?? /never/));

    shell(trouble.during, scene);
    const refused = await runAs(user, scene);
    expect(refused).toMatchObject({ exitCode: 74, runId: null });
    expect(refused.said).toContainEqual(expect.stringMatching(/error: The document .* cannot be written \(E\w+\)\./));
    const elsewhere = await runAs(user, scene, ['--history', 'auto']);
    expect(elsewhere.exitCode).toBe(0);
    expect(elsewhere.said).toContainEqual(expect.stringMatching(/cannot be written, so .* in the ledger only/));
    expect((await examine(scene, scene.told)).findings).toEqual(NOTHING_WRONG);
  });
});

/** Somebody who owns the home, and may go where everybody may. */
function plainUserOf(scene: Disturbed): User {
  const place = mkdtempSync(path.join(tmpdir(), 'runbook-plain-'));
  onTestFinished(() => {
    rmSync(place, { recursive: true });
  });
  chmodSync(place, 0o755);
  const user = plainUser(place);
  user.install();
  execaSync('chown', ['-R', `${user.uid}:${user.uid}`, scene.home.folder]);
  if (!existsSync(scene.document)) throw new Error('the document is not there');
  return user;
}
