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
    'Secret.md': classic('Secret', 'true', { env: 'DB_PASSWORD: of the database\nAPI_TOKEN: of the service' }),
    'Closed.md': classic('Closed', 'true', { env: 'WANTED: Declared', claims: 'roles: nobody' }),
    'Wrong.md': classic('Wrong', 'true', { claims: 'roles: nobody' }).replace('# Script', '# Scrpt'),
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

test('execute names all that is wrong of the kind that it refuses', async () => {
  const names = await server.execute('Env.md', { body: { env_vars: { 'A-B': 'x', OK: 'x', '1A': 'x', PATH: 'x' } } });
  const said = ['Invalid environment variable name: A-B', 'Invalid environment variable name: 1A'];
  expect([...(names.done()['errors'] as string[])].sort()).toEqual(said.toSorted());
  for (const text of said) expect(names.output('stderr')).toContain(`ERROR: ${text}\n`);

  const vars = { PATH: 'x', OK: 'x', LD_PRELOAD: 'x', HOME: 'x', B: 'b\u0001' };
  const denied = await server.execute('Env.md', { body: { env_vars: vars } });
  expect(denied.status).toBe(400);
  const { detail, error, problems } = denied.json() as {
    readonly detail: string;
    readonly error: string;
    readonly problems: readonly { readonly rule: string; readonly message: string }[];
  };
  expect(detail).toMatch(/^PATH may not be set for a script: .* \(also: "LD_PRELOAD", "HOME"\)\.$/);
  expect(error).toBe(detail);
  expect(problems.map(({ rule, message }) => `${rule} ${message.split(' ')[0] ?? ''}`)).toEqual(
    ['PATH', 'LD_PRELOAD', 'HOME'].map((name) => `variable-denied ${name}`),
  );

  const many = Object.fromEntries(Array.from({ length: 9 }, (_, n) => [`V${n}`, 'a\u0001']));
  const values = await server.execute('Env.md', { body: { env_vars: many } });
  expect([values.status, values.json()['detail']]).toEqual([
    400,
    expect.stringMatching(/^V0 holds a control character.* \(also: "V1", "V2", "V3", "V4", "V5", and 3 more\)\.$/),
  ]);
  expect(values.json()['problems']).toHaveLength(9);
});

test('a secret that cannot be masked is the same warning of both', async () => {
  const body = { env_vars: { DB_PASSWORD: 'abc', API_TOKEN: 'a-long-one-7f3a9c' } };
  const warning = 'The value of DB_PASSWORD is too short to be masked: where a script prints it, it is seen.';
  expect((await server.execute('Secret.md', { body })).done()).toMatchObject({ success: true, warnings: [warning] });
  const { status, json } = await server.patch('/api/runbooks/Secret.md/validate', { body });
  expect([status, json()]).toMatchObject([200, { success: true, errors: [], warnings: [warning] }]);
  const sound = { env_vars: { ...body.env_vars, DB_PASSWORD: 'another-long-one-9c' } };
  expect((await server.patch('/api/runbooks/Secret.md/validate', { body: sound })).json()['warnings']).toEqual([]);
});

// As docs/serve.md has them: what is first wins.
test.each<[string, string, string | null, unknown, number, string]>([
  ['a token', 'None.md', 'a.b.c', { env_vars: 7 }, 401, 'Invalid token'],
  ['that the body is no JSON', 'None.md', null, '{', 415, 'The body is not JSON'],
  ['the name of the document', 'None.md', null, { env_vars: 7 }, 404, 'Runbook not found'],
  ['the form of the body', 'Wrong.md', null, { env_vars: 7 }, 400, 'env_vars is not'],
  ['the document', 'Wrong.md', null, { env_vars: { 'A-B': 'x', PATH: 'x' } }, 200, 'Scrpt'],
  ['the chain', 'Closed.md', 'chain', { env_vars: { 'A-B': 'x' } }, 200, 'Recursion detected'],
  ['claims', 'Closed.md', null, { env_vars: { 'A-B': 'x', PATH: 'x' } }, 403, 'RBAC check failed'],
  ['names of variables', 'Declared.md', null, { env_vars: { PATH: 'x', 'A-B': 'x' } }, 200, 'name: A-B'],
  ['names that nobody may set', 'Declared.md', null, { env_vars: { A: '\u0001', PATH: 'x' } }, 400, 'PATH may not'],
  ['values', 'Declared.md', null, { env_vars: { A: '\u0001' } }, 400, 'control character'],
  ['what is missing', 'Declared.md', null, {}, 200, 'Required environment variable not set: WANTED'],
])('where several things are wrong, execute says: %s', async (_, name, how, body, expected, said) => {
  const run = await server.execute(name, {
    body,
    ...(how === 'a.b.c' ? { token: how } : {}),
    ...(how === 'chain' ? { headers: { 'x-recursion-stack': JSON.stringify([name]) } } : {}),
  });
  expect(run.status).toBe(expected);
  if (expected === 200) expect(String(run.done()['errors'])).toContain(said);
  else expect(run.json()['error']).toContain(said);
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
