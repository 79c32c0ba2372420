/** What validate says of variables is what execute does with them: nothing is valid that would then be refused. */
import { expect, test } from 'vitest';
import { classic } from '../../helpers/cli.ts';
import { startServer } from '../../helpers/server.ts';

const HALF = String.raw`"\ud800"`;
const KIB = 1024;
const server = await startServer({
  env: { RUNBOOK_OPEN_ENV: 'GIT_AUTHOR_*' },
  runbooks: {
    'Env.md': classic('Env', 'true'),
    'Declared.md': classic('Declared', 'true', { env: 'WANTED: Declared' }),
    'Person.md':
      '# Person\n\n# Environment Requirements\n\n# File System Requirements\n\n# Steps\n\n## Look\n\n```yaml\nmanual: Look at it.\n```\n\n# History\n',
  },
});

/** Of the object `env_vars`, as JSON. Status of execute; what validate says in `errors`, where it does. */
const CASES: readonly (readonly [string, string, number, string | null])[] = [
  ['nothing', '{}', 200, null],
  ['a plain name and value', '{"PLAIN_1": "a b\\n\\t"}', 200, null],
  ['a name that is reserved', '{"RUNBOOK_URL": "x"}', 200, null],
  ['a name that is opened', '{"GIT_AUTHOR_NAME": "x"}', 200, null],
  ['PATH', '{"PATH": "/tmp"}', 400, 'PATH may not be set'],
  ['LD_PRELOAD', '{"LD_PRELOAD": ""}', 400, 'LD_PRELOAD may not be set'],
  ['a proxy', '{"https_proxy": "x"}', 400, 'https_proxy may not be set'],
  ['a function of bash', '{"BASH_FUNC_ls%%": "x"}', 200, 'Invalid environment variable name: BASH_FUNC_ls%%'],
  ['a name with a dash', '{"A-B": "x"}', 200, 'Invalid environment variable name: A-B'],
  ['a name with a line feed behind it', String.raw`{"OK\n": "x"}`, 200, 'Invalid environment variable name: OK\ufffd'],
  ['no name', '{"": "x"}', 200, 'Invalid environment variable name: '],
  ['half a character as a name', `{${HALF}: "x"}`, 200, 'Invalid environment variable name: \ufffd'],
  ['a name of 256 characters', `{"${'N'.repeat(256)}": "x"}`, 400, 'is longer than 255 characters'],
  ['a name of 255 characters', `{"${'N'.repeat(255)}": "x"}`, 200, null],
  ['NUL in a value', String.raw`{"A": "a\u0000b"}`, 400, 'A holds a control character'],
  ['escape in a value', String.raw`{"A": "\u001b[2K"}`, 400, 'A holds a control character'],
  ['half a character', `{"A": ${HALF}}`, 400, 'A holds half a character'],
  ['the other half', String.raw`{"A": "a\udfffb"}`, 400, 'A holds half a character'],
  ['both halves', String.raw`{"A": "\ud83d\ude00"}`, 200, null],
  ['120 KiB', `{"A": "${'a'.repeat(120 * KIB)}"}`, 200, null],
  ['120 KiB and one byte', `{"A": "${'a'.repeat(120 * KIB + 1)}"}`, 400, 'A is longer than 120 KiB'],
  ['120 KiB in characters of two bytes', `{"A": "${'\u00e4'.repeat(60 * KIB)}a"}`, 400, 'A is longer than 120 KiB'],
];

test.each(CASES)('%s', async (_, vars, executed, said) => {
  const options = { body: `{"env_vars": ${vars}}`, headers: { 'content-type': 'application/json' } };
  const run = await server.execute('Env.md', options);
  const isDone = run.status === 200 && run.done()['success'] === true;
  expect([run.status, isDone]).toEqual([executed, said === null]);

  const { status, json } = await server.patch('/api/runbooks/Env.md/validate', options);
  const { success, runbook, errors, warnings, problems } = json() as {
    readonly [name: string]: unknown;
    readonly errors: readonly string[];
  };
  expect([status, success, runbook]).toEqual([said === null ? 200 : 400, said === null, 'Env.md']);
  expect(errors).toEqual(said === null ? [] : [expect.stringContaining(said)]);
  expect([warnings, problems]).toEqual([expect.any(Array), expect.any(Array)]);
});

test('all that is wrong is told at once by validate, in the order in which execute refuses', async () => {
  const body = { env_vars: { B: 'b\u0001', PATH: 'x', 'A-B': 'x', WANTED: '\u0007' } };
  const { status, json } = await server.patch('/api/runbooks/Declared.md/validate', { body });
  expect([status, json()['errors']]).toEqual([
    400,
    [
      'Invalid environment variable name: A-B',
      expect.stringContaining('PATH may not be set'),
      expect.stringContaining('B holds a control character'),
      expect.stringContaining('WANTED holds a control character'),
    ],
  ]);
  expect((await server.execute('Declared.md', { body })).done()['errors']).toEqual([
    'Invalid environment variable name: A-B',
  ]);
});

test('what needs a person is not valid here, either', async () => {
  const said = 'The step “Look” is done by a person, and nobody can be asked here.';
  expect((await server.execute('Person.md')).done()).toMatchObject({ success: false, errors: [said] });
  const { status, json } = await server.patch('/api/runbooks/Person.md/validate');
  expect([status, json()]).toMatchObject([400, { success: false, errors: [said] }]);
});

test('a name without end does not come back, nor into the record', async () => {
  const body = { env_vars: { ['-'.repeat(900_000)]: 'x' } };
  const { text } = await server.patch('/api/runbooks/Env.md/validate', { body });
  expect(text.length).toBeLessThan(3000);
  expect((await server.execute('Env.md', { body })).text.length).toBeLessThan(3000);
});
