/** Stage0's rules for routes, documents and validation: sections 3, 4 and 5 of what was observed of it. */
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { classic } from '../../helpers/cli.ts';
import { startServer } from '../../helpers/server.ts';

const WHOLE = classic('Whole', 'true', { env: 'FIRST: One\nSECOND: Two', inputs: 'Input:\n- data.txt\n- more' });
const server = await startServer({
  env: { HERE: 'set', BLANK: '' },
  runbooks: {
    'Whole.md': WHOLE,
    'b.md': classic('b', 'true'),
    'a.md': classic('a', 'true'),
    'B.md': classic('Another name', 'true'),
    'Empty.md': '',
    'Bare.md': '# Bare\n\n# Script\n```sh\ntrue\n```\n',
    'NoScript.md': WHOLE.replace(/# Script[\s\S]*?(?=# History)/, ''),
    'NoFence.md': classic('NoFence', 'true').replaceAll(/```bash\ntrue\n```/g, 'Nothing here.'),
    'NoTitle.md': `\n${classic('NoTitle', 'true')}`,
    'Yml.md': classic('Yml', 'true', { env: 'A: b' }).replace('```yaml\nA', '```yml\nA'),
    'Env.md': classic('Env', 'true', { env: 'HERE: Set\nBLANK: Set to nothing\nGONE: Not set' }),
    'Crlf.md': classic('Crlf', 'echo crlf').replaceAll('\n', '\r\n'),
    'Bytes.md': Buffer.from(classic('Bytes', 'true').replace('A test.', 'A t\xffst.'), 'latin1'),
    'README.md': '# Readme\n\nNot a runbook.\n\n## Script\n',
    'notes.txt': classic('notes', 'true'),
    '.hidden.md': classic('.hidden', 'true'),
  },
  prepare: (folder) => {
    const runbooks = path.join(folder, 'runbooks');
    mkdirSync(path.join(runbooks, 'below'));
    mkdirSync(path.join(runbooks, 'Folder.md'));
    writeFileSync(path.join(runbooks, 'below/Deep.md'), classic('Deep', 'true'));
    writeFileSync(path.join(folder, 'Outside.md'), classic('Outside', 'echo outside'));
    symlinkSync(path.join(folder, 'Outside.md'), path.join(runbooks, 'Out.md'));
    symlinkSync('b.md', path.join(runbooks, 'Inside.md'));
    symlinkSync('nowhere', path.join(runbooks, 'Dangling.md'));
  },
});
const address = (name: string, rest = ''): string => `/api/runbooks/${name}${rest}`;
async function validate(name: string, env: Readonly<Record<string, unknown>> = {}) {
  const { status, json } = await server.patch(address(name, '/validate'), { body: { env_vars: env } });
  return { status, ...json() };
}

test('3 list: file name, title and path of what has a title, in the order of code points', async () => {
  const { json } = await server.get('/api/runbooks');
  const { runbooks, success } = json() as {
    readonly runbooks: { readonly filename: string }[];
    readonly success: boolean;
  };
  expect(success).toBe(true);
  expect(runbooks).toContainEqual({ filename: 'B.md', name: 'Another name', path: 'B.md' });
  expect(runbooks.map(({ filename }) => filename)).toEqual(
    ['B', 'Bare', 'Bytes', 'Crlf', 'Env', 'Inside', 'NoFence', 'NoScript', 'Whole', 'Yml', 'a', 'b'].map(
      (n) => `${n}.md`,
    ),
  );
});

test('3 list, with the last runs', async () => {
  const run = await server.execute('a.md');
  // What was refused is no run.
  const refused = await server.execute('b.md', { headers: { 'x-recursion-stack': '["b.md"]' } });
  expect(refused.done()['success']).toBe(false);
  const { json } = await server.get('/api/runbooks?include=last');
  const { runbooks } = json() as { readonly runbooks: { readonly filename: string; readonly last: unknown }[] };
  expect(runbooks.find(({ filename }) => filename === 'a.md')?.last).toEqual({
    run_id: run.headers['x-run-id'],
    state: 'finished',
    outcome: 'succeeded',
    finished_at: expect.stringMatching(/Z$/),
  });
  expect(runbooks.find(({ filename }) => filename === 'b.md')?.last).toBeNull();
  expect((await server.get('/api/runbooks?include=all')).status).toBe(400);
});

test('3 content: name is the title, lines end in LF', async () => {
  expect((await server.get(address('B.md'))).json()).toEqual({
    success: true,
    filename: 'B.md',
    name: 'Another name',
    content: classic('Another name', 'true'),
  });
  expect((await server.get(address('Crlf.md'))).json()['content']).toBe(classic('Crlf', 'echo crlf'));
  expect((await server.execute('Crlf.md')).output('stdout')).toBe('crlf\n');
});

test('3 content of a runbook without a title: its name is the file name', async () => {
  expect((await server.get(address('NoTitle.md'))).json()).toMatchObject({
    name: 'NoTitle.md',
    filename: 'NoTitle.md',
  });
});

test('3 no such runbook: 404 on every route', async () => {
  for (const [method, rest] of [
    ['GET', ''],
    ['GET', '/required-env'],
    ['PATCH', '/validate'],
    ['POST', '/execute'],
  ] as const) {
    const { status, json } = await server.request(method, address('Nope.md', rest));
    expect([status, json()['error']]).toEqual([404, 'Runbook not found: Nope.md']);
  }
});

test('3 required-env: available is what is set and not empty, in the order of the document', async () => {
  const [here, blank, gone] = [
    { name: 'HERE', description: 'Set' },
    { name: 'BLANK', description: 'Set to nothing' },
    { name: 'GONE', description: 'Not set' },
  ];
  expect((await server.get(address('Env.md', '/required-env'))).json()).toEqual({
    success: true,
    filename: 'Env.md',
    required: [here, blank, gone],
    available: [here],
    missing: [blank, gone],
  });
});

test('3 required-env of a document without that section: three empty lists', async () => {
  expect((await server.get(address('Bare.md', '/required-env'))).json()).toMatchObject({
    required: [],
    available: [],
    missing: [],
  });
});

test('3 config: Stage0’s items in Stage0’s order, values as text, where they are from, and who asks', async () => {
  const { json } = await server.get('/api/config');
  const { config_items: items, token } = json() as {
    readonly config_items: { readonly name: string; readonly value: unknown; readonly from: string }[];
    readonly token: Readonly<Record<string, unknown>>;
  };
  expect(items.map(({ name }) => name)).toEqual(
    'BUILT_AT LOGGING_LEVEL RUNBOOKS_DIR EXECUTION_DIR MOUNT_DIR API_PROTOCOL API_HOST UI_HEADER JWT_ALGORITHM JWT_ISSUER JWT_AUDIENCE API_PORT JWT_TTL_MINUTES SCRIPT_TIMEOUT_SECONDS MAX_OUTPUT_SIZE_BYTES MAX_RECURSION_DEPTH ENABLE_LOGIN JWT_SECRET'.split(
      ' ',
    ),
  );
  expect(items).toContainEqual({ name: 'SCRIPT_TIMEOUT_SECONDS', value: '600', from: 'default' });
  expect(items).toContainEqual({ name: 'MAX_OUTPUT_SIZE_BYTES', value: '10485760', from: 'default' });
  expect(items).toContainEqual({ name: 'MAX_RECURSION_DEPTH', value: '50', from: 'default' });
  expect(items).toContainEqual({ name: 'ENABLE_LOGIN', value: 'false', from: 'default' });
  expect(items).toContainEqual({ name: 'RUNBOOKS_DIR', value: server.runbooksDir, from: 'environment' });
  expect(items).toContainEqual({ name: 'JWT_SECRET', value: 'secret', from: 'environment' });
  expect(token).toMatchObject({
    user_id: 'anna',
    roles: ['sre'],
    remote_ip: '127.0.0.1',
    claims: { sub: 'anna', user_id: 'anna', iss: 'dev-idp' },
  });
});

test('10 metrics: Stage0’s names, path is the template of the route', async () => {
  const { headers, text } = await server.get('/metrics', { token: null });
  expect(headers['content-type']).toMatch(/^text\/plain; version=0\.0\.4/);
  expect(text).toMatch(/^flask_http_request_total\{method="GET",status="200"\} \d+$/m);
  expect(text).toMatch(/^flask_http_request_duration_seconds_bucket\{.*path="\/api\/runbooks\/:name".*\} \d+$/m);
  expect(text).toContain('# TYPE flask_http_request_exceptions_total counter');
  expect(text).not.toContain('Nope.md');
  const filtered = await server.get('/metrics?name[]=flask_http_request_total', { token: null });
  expect(filtered.text.match(/^# TYPE .*$/gm)).toEqual(['# TYPE flask_http_request_total counter']);
});

test('3 names: nothing but the folder’s own documents, and no word of where it is', async () => {
  const names = [
    ...['.', '..', '...', 'below', 'below/Deep.md', 'Folder.md', 'Out.md', 'Dangling.md', '.hidden.md', 'notes.txt'],
    ...['README.md', 'Whole', 'whole.md', 'Whole.md ', 'Whole.md.', 'CON', '~', '*', '-', 'x'.repeat(300)],
    ...[
      '../Outside.md',
      '..\\Outside.md',
      '/etc/passwd',
      '/proc/self/environ',
      'a\0.md',
      '\u202Ea.md',
      'Whole\u0301.md',
    ],
  ];
  const paths = names.flatMap((name) => {
    const once = encodeURIComponent(name);
    return [once, encodeURIComponent(once), once.replaceAll('.', '%2e')];
  });
  for (const name of [
    ...paths,
    ...['%00', '%2F', '%2f..%2fOutside.md', '..%2fOutside.md', '%252e%252e%252fOutside.md'],
  ]) {
    for (const [method, rest] of [
      ['GET', ''],
      ['GET', '/required-env'],
      ['PATCH', '/validate'],
      ['POST', '/execute'],
    ] as const) {
      const { status, text } = await server.request(method, address(name, rest));
      expect([name, method, status]).toEqual([name, method, 404]);
      expect(text).not.toContain(server.folder);
      expect(text).not.toContain('outside');
    }
  }
});

test('3 links that stay inside are documents like any', async () => {
  expect((await server.get(address('Inside.md'))).json()).toMatchObject({ filename: 'Inside.md', name: 'b' });
});

test('5.1 empty document: that alone', async () => {
  expect(await validate('Empty.md')).toMatchObject({
    status: 400,
    success: false,
    errors: ['Runbook content is empty'],
  });
});

test('5.2 missing sections, in order, each once', async () => {
  expect(await validate('Bare.md')).toMatchObject({
    status: 400,
    runbook: 'Bare.md',
    errors: [
      'Missing required section: Environment Requirements',
      'Missing required section: File System Requirements',
      'Missing required section: History',
    ],
    warnings: [],
  });
  expect(await validate('NoScript.md')).toMatchObject({ errors: ['Missing required section: Script'] });
});

test('5.3 and 5.4 variables by name, then inputs as they are written', async () => {
  expect(await validate('Whole.md', { SECOND: '' })).toMatchObject({
    status: 400,
    errors: [
      'Required environment variable not set: FIRST',
      'Required input file does not exist: data.txt',
      'Required input file does not exist: more',
    ],
  });
});

test('5.3 a name is enough: empty and null count as set', async () => {
  expect(await validate('Env.md')).toMatchObject({ errors: ['Required environment variable not set: GONE'] });
  for (const value of ['', null])
    expect(await validate('Env.md', { GONE: value })).toMatchObject({ status: 200, success: true, errors: [] });
});

test('5.3 a block with another tag is none', async () => {
  expect(await validate('Yml.md')).toMatchObject({
    status: 400,
    errors: ['Environment Requirements section must contain a YAML code block'],
  });
});

test('5.5 no script', async () => {
  expect(await validate('NoFence.md')).toMatchObject({ errors: ['Script section must contain a sh code block'] });
});

test('5.7 no title: last', async () => {
  const text = 'Runbook must start with an H1 header containing the runbook name';
  expect(await validate('NoTitle.md')).toMatchObject({ status: 400, success: false, errors: [text] });
});

test('5.8 another title is a warning', async () => {
  const text = "Runbook name 'Another name' does not match filename 'B'";
  expect(await validate('B.md')).toMatchObject({ status: 200, success: true, errors: [], warnings: [text] });
});

test('5 our own sentences are beside them, each with its line and what to do', async () => {
  const { problems } = (await validate('Whole.md', { FIRST: '1' })) as { readonly problems?: readonly unknown[] };
  expect(problems?.[0]).toMatchObject({
    rule: 'variable-missing',
    message: 'Required environment variable not set: SECOND (Two).',
    fix: 'Send {"env_vars": {"SECOND": "value"}}.',
    line: expect.any(Number),
  });
});

test('5 names that are Stage0’s own are passed over, and that is said', async () => {
  expect(await validate('a.md', { RUNBOOK_URL: 'x' })).toMatchObject({
    success: true,
    warnings: [expect.stringContaining('RUNBOOK_URL')],
  });
});

test('a document that is not UTF-8 is shown, and told to be broken', async () => {
  expect((await server.get(address('Bytes.md'))).json()['content']).toContain('A t\ufffdst.');
  expect(await validate('Bytes.md')).toMatchObject({ status: 400, success: false });
});

test('a document that the server may not read: an error without its place', async () => {
  const file = server.write('Locked.md', classic('Locked', 'true'));
  chmodSync(file, 0);
  const { status, text } = await server.get(address('Locked.md'));
  // Root reads it all the same.
  expect([200, 507]).toContain(status);
  expect(text).not.toContain(server.folder);
  chmodSync(file, 0o600);
});
