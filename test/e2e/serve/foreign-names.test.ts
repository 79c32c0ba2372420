/** Variables with which a caller over HTTP would run code of his own: each does it where nobody minds, and none gets in. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { DENIED_NAMES } from '../../../src/core/environment-names.ts';
import { LOCAL_NAMES } from '../../../src/core/foreign-names.ts';
import { classic } from '../../helpers/cli.ts';
import { requires } from '../../helpers/requires.ts';
import { startServer } from '../../helpers/server.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'foreign-names-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const at = (name: string): string => path.join(folder, name);
/** What the caller wants to have run. */
const evil = at('evil');
const mark = at('mark');
function put(name: string, text: string, mode = 0o644): void {
  mkdirSync(path.dirname(at(name)), { recursive: true });
  writeFileSync(at(name), text, { mode });
}
const EVIL = `#!/bin/sh\n: > ${mark}\n`;
put('evil', EVIL, 0o755);
put('bin/as', EVIL, 0o755);
put('elsewhere/tools/run', EVIL, 0o755);
put('tools/run', '#!/bin/sh\n', 0o755);
put('makefile', `$(shell ${evil})\n`);
put('a.c', 'int main(void) { return 0; }\n');
put('a.txt', 'a\n');
put('.curlrc', `output = "${mark}"\n`);
put('git/config', `[core]\n\tfsmonitor = ${evil}\n`);
execFileSync('git', ['init', '-q', at('repository')]);

const COMMIT = 'cd repository && git -c user.name=a -c user.email=a@example.com commit -q --allow-empty';
/** Name, value, an innocent script, and the program that it needs. */
const WAYS: readonly (readonly [name: string, value: string, script: string, program: string])[] = [
  ['MAKEFLAGS', String.raw`--eval=$$(shell\ ${evil})`, 'make -f /dev/null', 'make'],
  ['GNUMAKEFLAGS', String.raw`--eval=$$(shell\ ${evil})`, 'make -f /dev/null', 'make'],
  ['MAKEFILES', at('makefile'), 'make -f /dev/null', 'make'],
  ['CC', evil, 'make a', 'make'],
  ['COMPILER_PATH', at('bin'), 'gcc -c a.c -o /dev/null', 'gcc'],
  ['NULLCMD', evil, '> a.out', 'zsh'],
  ['READNULLCMD', evil, '< a.txt', 'zsh'],
  ['CDPATH', at('elsewhere'), `bash -c 'cd tools && ./run'`, 'bash'],
  ['SHELL', evil, 'script -qc true /dev/null', 'script'],
  ['EDITOR', evil, COMMIT, 'git'],
  ['VISUAL', evil, COMMIT, 'git'],
  ['GIT_EDITOR', evil, COMMIT, 'git'],
  ['XDG_CONFIG_HOME', folder, 'git -C repository status', 'git'],
  ['TAR_OPTIONS', `--checkpoint=1 --checkpoint-action=exec=${evil}`, 'tar cf - tools elsewhere | cat', 'tar'],
  ['LESSOPEN', `|${evil} %s`, 'less a.txt', 'less'],
  ['CURL_HOME', folder, 'curl -s "file://$PWD/a.txt"', 'curl'],
  ['PERL5OPT', `-Mstrict;system(q(${evil}))`, 'perl -e 1', 'perl'],
  ['npm_config_script_shell', evil, `echo '{"scripts":{"x":"true"}}' > package.json; npm run x`, 'npm'],
];
const CHECKS: Readonly<Record<string, readonly string[]>> = { zsh: ['-fc', ':'], script: ['--version'] };

const RUNBOOKS = Object.fromEntries(
  WAYS.map(([name, , script]) => [`${name}.md`, classic(name, `cd '${folder}'\n${script}`)]),
);
const server = await startServer({
  runbooks: {
    ...RUNBOOKS,
    'Any.md': classic('Any', 'echo ran'),
    'Asks.md': classic('Asks', `cd '${folder}'\nmake -f /dev/null`, { env: 'MAKEFLAGS: options of make' }),
  },
});

describe.each(WAYS)('%s', (name, value, script, program) => {
  it.skipIf(!requires(program, ...(CHECKS[program] ?? ['--version'])))(
    'runs code of the caller where it is set, and is not taken from a caller',
    async () => {
      rmSync(mark, { force: true });
      const env = { PATH: process.env['PATH'] ?? '', HOME: at('home'), TERM: 'xterm', [name]: value };
      spawnSync('zsh', ['-fc', script], { cwd: folder, env, timeout: 20_000 });
      expect(existsSync(mark), `${name} is no way in`).toBe(true);
      rmSync(mark);

      const run = await server.execute(`${name}.md`, { body: { env_vars: { [name]: value } } });
      expect([run.status, run.json()['code']]).toEqual([400, 'variable-denied']);
      expect(run.headers['x-run-id']).toBeUndefined();
      expect(existsSync(mark)).toBe(false);
    },
  );
});

it('also where the runbook declares it: that is for the local user, or what the operator opens', async () => {
  const body = { env_vars: { MAKEFLAGS: '-j2' } };
  expect((await server.execute('Asks.md', { body })).json()).toMatchObject({ code: 'variable-denied' });
  const open = await startServer({
    env: { RUNBOOK_OPEN_ENV: 'MAKEFLAGS' },
    runbooks: { 'Any.md': classic('Any', 'echo "flags: $MAKEFLAGS"') },
  });
  expect((await open.execute('Any.md', { body })).output('stdout')).toBe('flags: -j2\n');
});

it('every name of both lists is refused, and each is named', async () => {
  const names = [...DENIED_NAMES, ...LOCAL_NAMES]
    .filter((name) => name !== 'RUNBOOK_*')
    .map((name) => name.replace('*', 'X'));
  expect(new Set(names).size).toBe(names.length);
  const run = await server.execute('Any.md', {
    body: { env_vars: Object.fromEntries(names.map((one) => [one, '1'])) },
  });
  expect(run.status).toBe(400);
  const problems = run.json()['problems'] as readonly { readonly message: string }[];
  expect(new Set(problems.map(({ message }) => message.split(' ')[0]))).toEqual(new Set(names));
  process.stdout.write(`${names.length} names, ${WAYS.length} ways\n`);
});
