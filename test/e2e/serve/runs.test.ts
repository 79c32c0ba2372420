/** Runs over HTTP: lists in pages, single records, output and artifacts, each for those whom they are for. */
import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import { BIN, classic, cleanEnvironment } from '../../helpers/cli.ts';
import { startServer } from '../../helpers/server.ts';
import type { Answer } from '../../helpers/server.ts';

interface Listed {
  readonly runs: readonly {
    readonly runId: string;
    readonly state: string;
    readonly runbook: { readonly name: string; readonly path: string | null };
  }[];
  readonly next: string | null;
}

const server = await startServer({
  env: { ADMIN_CLAIM: 'roles=admin' },
  runbooks: {
    'Open.md': classic('Open', 'echo open; echo oops >&2'),
    'Guarded.md': classic('Guarded', 'echo guarded', { claims: 'roles: chief\nreaders:\n  roles: auditor' }),
    'Files.md': classic('Files', 'mkdir out; echo "<b>" > "out/a b.html"', { inputs: 'Output:\n  - out' }),
    'Gone.md': classic('Gone', 'echo gone', { claims: 'roles: chief' }),
  },
});
const chief = await server.token({ sub: 'boss', roles: ['chief'] });
const admin = await server.token({ sub: 'root', roles: ['admin'] });
const auditor = await server.token({ sub: 'audrey', roles: ['auditor'] });
const former = await server.token({ sub: 'boss', roles: [] });
const other = await server.token({ sub: 'berta', roles: [] });

const ids: Record<string, string> = {};
for (const [name, token] of [
  ['Open', undefined],
  ['Guarded', chief],
  ['Files', undefined],
  ['Gone', chief],
] as const) {
  const { headers } = await server.execute(`${name}.md`, token === undefined ? {} : { token });
  ids[name] = String(headers['x-run-id']);
}
rmSync(path.join(server.runbooksDir, 'Gone.md'));
// Whoever lets somebody in there says nothing of this server's runs.
writeFileSync(path.join(server.folder, 'Elsewhere.md'), classic('Elsewhere', 'echo elsewhere'));
await execa(process.execPath, ['--', BIN, 'execute', './Elsewhere.md', '--history', 'ledger'], {
  cwd: server.folder,
  env: { ...cleanEnvironment(server.folder), RUNBOOK_STATE_DIR: server.stateDir },
  extendEnv: false,
  reject: false,
});

const listed = (answer: Answer): Listed => {
  expect(answer.status).toBe(200);
  return answer.json() as unknown as Listed;
};
const namesFor = async (token: string, query = ''): Promise<readonly string[]> =>
  listed(await server.get(`/api/runs${query}`, { token })).runs.map(({ runbook }) => runbook.name);

describe('who sees which runs', () => {
  it.each([
    ['an administrator', admin, ['Elsewhere', 'Gone', 'Files', 'Guarded', 'Open']],
    ['whoever started them', former, ['Gone', 'Files', 'Guarded', 'Open']],
    ['a reader', auditor, ['Files', 'Guarded', 'Open']],
    ['whoever has the claims', chief, ['Gone', 'Files', 'Guarded', 'Open']],
    ['anybody else', other, ['Files', 'Open']],
  ])('%s', async (_, token, names) => {
    expect(await namesFor(token)).toEqual(names);
    for (const [name, runId] of Object.entries(ids))
      for (const part of ['', '/output', '/artifacts', '/events']) {
        const { status } = await server.get(`/api/runs/${runId}${part}`, { token });
        expect([name, part, status]).toEqual([name, part, names.includes(name) ? 200 : 404]);
      }
  });

  it('hides a run that is not for the caller as one that is not there', async () => {
    const hidden = await server.get(`/api/runs/${ids['Guarded']}`, { token: other });
    const missing = await server.get('/api/runs/01M82P42SYNHSWG51AF8XZRJRS', { token: other });
    expect(hidden.text).toBe(missing.text);
    expect(hidden.status).toBe(404);
  });

  it('says only administrators where folders are', async () => {
    const paths = async (token: string) =>
      listed(await server.get('/api/runs?runbook=Open', { token })).runs.map(({ runbook }) => runbook.path);
    expect(await paths(other)).toEqual([null]);
    expect(await paths(admin)).toEqual([path.join(server.runbooksDir, 'Open.md')]);
    expect((await server.get(`/api/runs/${ids['Open']}`, { token: other })).text).not.toContain(server.folder);
    expect((await server.get(`/api/runs/${ids['Open']}/events`, { token: other })).text).not.toContain(server.folder);
  });
});

describe('pages', () => {
  it('of any length hold each run once, also where others are in between', async () => {
    for (const token of [admin, other])
      for (const limit of [1, 2, 3]) {
        const seen: string[] = [];
        let cursor: string | null = null;
        do {
          const page: Listed = listed(
            await server.get(`/api/runs?limit=${limit}${cursor === null ? '' : `&cursor=${cursor}`}`, { token }),
          );
          expect(page.runs.length).toBeLessThanOrEqual(limit);
          seen.push(...page.runs.map(({ runbook }) => runbook.name));
          cursor = page.next;
        } while (cursor !== null);
        expect(seen).toEqual(await namesFor(token));
      }
  });

  it.each([
    ['runbook=Open.md', ['Open']],
    ['runbook=Nothing', []],
    ['subject=boss', ['Gone', 'Guarded']],
    ['outcome=failed,canceled', []],
    ['outcome=succeeded&since=1h', ['Elsewhere', 'Gone', 'Files', 'Guarded', 'Open']],
    ['until=2020-01-01', []],
  ])('?%s', async (query, names) => {
    expect(await namesFor(admin, `?${query}`)).toEqual(names);
  });

  it.each([
    'limit=0',
    'limit=201',
    'limit=x',
    'cursor=%20',
    'cursor=a.b',
    'outcome=good',
    'since=soon',
    'sort=x',
    'runbook=',
  ])('?%s is refused', async (query) => {
    const answer = await server.get(`/api/runs?${query}`);
    expect(answer.status).toBe(400);
    expect(answer.headers['content-type']).toContain('problem+json');
  });
});

describe('one run', () => {
  it('has its record, the same as on the command line', async () => {
    const { run } = (await server.get(`/api/runs/${ids['Open']}`, { token: admin })).json();
    const { stdout } = await execa(process.execPath, ['--', BIN, 'history', ids['Open']!, '--json'], {
      cwd: server.folder,
      env: { ...cleanEnvironment(server.folder), RUNBOOK_STATE_DIR: server.stateDir },
      extendEnv: false,
    });
    expect(run).toEqual((JSON.parse(stdout) as { run: unknown }).run);
  });

  it('gives its output, of one stream or both', async () => {
    const output = async (query: string): Promise<string> =>
      (await server.get(`/api/runs/${ids['Open']}/output${query}`)).text;
    expect(await output('?stream=stdout')).toBe('open\n');
    expect(await output('?stream=stderr')).toBe('oops\n');
    expect((await output('')).length).toBe(10);
  });

  it('gives its files as what nobody’s browser shows', async () => {
    const address = `/api/runs/${ids['Files']}/artifacts`;
    const { artifacts } = (await server.get(address)).json() as { artifacts: { path: string; kept: boolean }[] };
    expect(artifacts).toMatchObject([{ path: 'out/a b.html', kept: true }]);
    const file = await server.get(`/api/runs/${ids['Files']}/artifact?path=out/a%20b.html`);
    expect(file.text).toBe('<b>\n');
    expect(file.headers).toMatchObject({
      'content-type': 'application/octet-stream',
      'content-disposition': 'attachment',
      'x-content-type-options': 'nosniff',
    });
    for (const name of ['', 'out', '../out/a%20b.html', '..%2f..%2fledger.sqlite', '/etc/passwd', 'out/%00'])
      expect([name, (await server.get(`/api/runs/${ids['Files']}/artifact?path=${name}`)).status]).toEqual([name, 404]);
  });

  it.each(['x'.repeat(65), 'a.b', '..', '%2e%2e', '%00', 'events%2f'])('an id like %j is none', async (id) => {
    expect([400, 404]).toContain((await server.get(`/api/runs/${id}`)).status);
  });
});
