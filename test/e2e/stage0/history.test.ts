/** Stage0's rules for claims and history, and where its history cannot be written: sections 7 and 8 of what was observed of it. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test, vi } from 'vitest';
import { classic } from '../../helpers/cli.ts';
import { requires } from '../../helpers/requires.ts';
import { startServer } from '../../helpers/server.ts';

const CLAIMED = { claims: 'roles: sre, api\nteam: ops' };
const server = await startServer({
  runbooks: {
    'Open.md': classic('Open', 'echo said; echo wrong >&2; echo "\\`\\`\\`"'),
    'Silent.md': classic('Silent', 'true'),
    'Claimed.md': classic('Claimed', 'echo done', CLAIMED),
    'ByName.md': classic('ByName', 'echo done', { claims: 'sub: anna' }),
    'Yml.md': classic('Yml', 'echo done', { claims: 'roles: sre' }).replace('```yaml\nroles', '```yml\nroles'),
    'Late.md': classic('Late', 'sleep 60').replace('# Script', '# Limits\n```yaml\ntimeout: 1s\n```\n\n# Script'),
    'Needs.md': classic('Needs', 'true', { env: 'A: b' }),
  },
});
const file = (name: string): string => readFileSync(path.join(server.runbooksDir, name), 'utf8');
const historyOf = (name: string): string => file(name).split('# History\n')[1] ?? '';
const address = (name: string, rest = ''): string => `/api/runbooks/${name}${rest}`;

test('7 claims: all of them, any value of each', async () => {
  for (const roles of [['sre'], ['other', 'api']]) {
    const token = await server.token({ roles, team: 'ops' });
    expect((await server.execute('Claimed.md', { token })).done()).toMatchObject({ success: true });
  }
  for (const claims of [{ team: 'ops', roles: ['SRE'] }, { roles: ['sre'] }, { team: 'dev', roles: ['sre'] }])
    expect((await server.execute('Claimed.md', { token: await server.token(claims) })).status).toBe(403);
});

test('7 claims: any claim of the token can be named', async () => {
  expect((await server.execute('ByName.md')).done()).toMatchObject({ success: true });
  expect((await server.execute('ByName.md', { token: await server.token({ sub: 'ben' }) })).status).toBe(403);
});

test.each([
  ['execute', 'POST'],
  ['validate', 'PATCH'],
] as const)('7 claims lacking for %s: Stage0’s text, an entry, and a line in the log', async (operation, method) => {
  const token = await server.token({ sub: 'carl', roles: ['developer', 'ux'] });
  const { status, json } = await server.request(method, address('Claimed.md', `/${operation}`), { token });
  const text = `RBAC check failed for ${operation}. Missing or invalid claims: roles=developer, ux (required: sre, api), team (not present)`;
  expect([status, json()['error'], json()['success']]).toEqual([403, text, false]);
  expect(historyOf('Claimed.md')).toMatch(/\n### \S+Z \| Exit Code: 403\n/);
  expect(historyOf('Claimed.md')).toContain(
    `**Error:**\n\`\`\`\nRBAC Failure: Access denied for user carl. ${text}\n\`\`\`\n`,
  );
  const line = expect.objectContaining({ level: 'warn', msg: 'RBAC failure', subject: 'carl', operation }) as object;
  await vi.waitFor(() => expect(server.log()).toContainEqual(line), { timeout: 30_000 });
});

test('7 reading needs no claims, history does', async () => {
  const token = await server.token({ roles: ['developer'] });
  for (const rest of ['', '/required-env'])
    expect((await server.get(address('Claimed.md', rest), { token })).status).toBe(200);
  const allowed = await server.token({ team: 'ops' });
  expect((await server.get(address('Claimed.md'), { token: allowed })).json()['content']).toContain('RBAC Failure');
  const { content } = (await server.get(address('Claimed.md'), { token })).json() as { readonly content: string };
  expect(content).toMatch(/# Script[\s\S]*\n# History\n$/);
  expect(content).not.toContain('RBAC Failure');
});

test('7 claims that cannot be read let nobody in', async () => {
  const run = await server.execute('Yml.md');
  expect(run.done()).toMatchObject({ success: false, return_code: 1, stdout: '' });
});

test('8 entry: finish time, exit code, both streams', async () => {
  await server.execute('Open.md');
  expect(historyOf('Open.md')).toMatch(
    /^\n### \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z \| Exit Code: 0\n\n<!-- runbook:v1 \S+ -->\n\n\*\*Stdout:\*\*\n````\nsaid\n```\n\n````\n\n\*\*Stderr:\*\*\n```\nwrong\n\n```\n$/,
  );
});

test('8 entry: streams without output have no block', async () => {
  await server.execute('Silent.md');
  expect(historyOf('Silent.md')).toMatch(/Exit Code: 0\n\n<!-- runbook:v1 \S+ -->\n$/);
});

test('8 entry: of a run that took too long, with 124', async () => {
  await server.execute('Late.md');
  expect(historyOf('Late.md')).toContain('| Exit Code: 124\n');
});

test('8 no entry: refusals for anything but claims, and validation', async () => {
  const before = file('Needs.md');
  await server.execute('Needs.md');
  await server.execute('Needs.md', { headers: { 'x-recursion-stack': '["Needs.md"]' } });
  await server.patch(address('Needs.md', '/validate'), { body: { env_vars: { A: '1' } } });
  expect(file('Needs.md')).toBe(before);
});

test('8 content shows the entries, those of the file once', async () => {
  await server.execute('Silent.md');
  const { content } = (await server.get(address('Silent.md'))).json();
  expect(content).toBe(file('Silent.md'));
});

test('D30 a folder that cannot be written: the run succeeds, and content has its entry', async () => {
  const readOnly = await startServer({
    runbooks: { 'ReadOnly.md': classic('ReadOnly', 'echo from the ledger'), 'Bare.md': steps('Bare') },
    below: canMount ? MOUNTED : [],
    env: { RUNBOOK_HISTORY: canMount ? undefined : 'ledger' },
  });
  for (const name of ['ReadOnly.md', 'Bare.md']) {
    const before = readFileSync(path.join(readOnly.runbooksDir, name), 'utf8');
    expect((await readOnly.execute(name)).done()).toMatchObject({ success: true, return_code: 0 });
    expect(readFileSync(path.join(readOnly.runbooksDir, name), 'utf8')).toBe(before);
    const { content } = (await readOnly.get(address(name))).json();
    expect(content).toMatch(/\n# History\n\n### \S+Z \| Exit Code: 0\n[\s\S]*\*\*Stdout:\*\*\n```\nfrom the ledger\n/);
    const denied = await readOnly.get(address(name, '/nothing'));
    expect(denied.status).toBe(404);
  }
});

const canMount = requires('unshare', '-m', 'true');
/** Root may write anywhere but where the mount says no. */
const MOUNTED = [
  'unshare',
  '-m',
  'sh',
  '-c',
  'mount --bind "$RUNBOOKS_DIR" "$RUNBOOKS_DIR" && mount -o remount,ro,bind "$RUNBOOKS_DIR" && exec "$@"',
  'sh',
];

function steps(name: string): string {
  return `# ${name}\n\n# Steps\n\n## Say\n\`\`\`bash\necho from the ledger\n\`\`\`\n`;
}

test('14.16 a ConfigMap: documents, inputs and history through its links, also after it was changed', async () => {
  const document = classic('Mapped', 'cat data.txt', { inputs: 'Input:\n- data.txt' });
  const write = (folder: string, revision: string, data: string): void => {
    const runbooks = path.join(folder, 'runbooks');
    mkdirSync(path.join(runbooks, revision));
    writeFileSync(path.join(runbooks, revision, 'Mapped.md'), document);
    writeFileSync(path.join(runbooks, revision, 'data.txt'), data);
    symlinkSync(revision, path.join(runbooks, '..data_tmp'));
    renameSync(path.join(runbooks, '..data_tmp'), path.join(runbooks, '..data'));
  };
  const mapped = await startServer({
    env: { RUNBOOK_HISTORY: 'ledger' },
    prepare: (folder) => {
      write(folder, '..2026_11_22_10_00_00.1234567', 'first\n');
      for (const name of ['Mapped.md', 'data.txt'])
        symlinkSync(path.join('..data', name), path.join(folder, 'runbooks', name));
    },
  });
  expect((await mapped.get('/api/runbooks')).json()['runbooks']).toEqual([
    { filename: 'Mapped.md', name: 'Mapped', path: 'Mapped.md' },
  ]);
  for (const name of ['..data', '..data%2FMapped.md', '..2026_11_22_10_00_00.1234567'])
    expect((await mapped.get(address(name))).status).toBe(404);
  expect((await mapped.execute('Mapped.md')).output('stdout')).toBe('first\n');
  const last = async (): Promise<unknown> => {
    const { runbooks } = (await mapped.get('/api/runbooks?include=last')).json() as {
      readonly runbooks: readonly { readonly last: { readonly run_id: string } | null }[];
    };
    return runbooks[0]?.last;
  };
  const before = await last();
  expect(before).toMatchObject({ state: 'finished', outcome: 'succeeded' });
  write(mapped.folder, '..2026_11_23_10_00_00.7654321', 'second\n');
  expect(await last()).toEqual(before);
  rmSync(path.join(mapped.runbooksDir, '..2026_11_22_10_00_00.1234567'), { recursive: true });
  expect((await mapped.execute('Mapped.md')).output('stdout')).toBe('second\n');
  expect(await last()).not.toEqual(before);
  const { content } = (await mapped.get(address('Mapped.md'))).json();
  expect(String(content).match(/^(?:first|second)$/gm)).toEqual(['first', 'second']);
});

test('the folder of runbooks goes away: 404, and not a word of where it was', async () => {
  const gone = await startServer();
  execFileSync('rm', ['-r', gone.runbooksDir]);
  const { status, json, text } = await gone.get('/api/runbooks');
  expect([status, json()['error']]).toEqual([404, 'Runbooks directory not found']);
  expect(text).not.toContain(gone.folder);
  expect((await gone.get(address('A.md'))).status).toBe(404);
});
