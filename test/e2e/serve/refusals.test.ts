/** Who may not run a runbook can neither fill its document nor hide its runs; who has no valid token leaves nothing. */
import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import Database from 'better-sqlite3';
import { expect, it } from 'vitest';
import { classic } from '../../helpers/cli.ts';
import { times } from '../../helpers/property.ts';
import { startServer } from '../../helpers/server.ts';

const CLAIMED = classic('Claimed', 'echo ran', { claims: 'roles: sre' });
const server = await startServer({
  runbooks: { 'Claimed.md': CLAIMED, 'Other.md': classic('Other', 'true', { claims: 'roles: sre' }) },
});
const other = await server.token({ sub: 'carl', roles: ['ux'] });
const execute = '/api/runbooks/Claimed.md/execute';
const AT_ONCE = 20;

async function refuseMany(count: number, of = server, token = other): Promise<void> {
  for (let sent = 0; sent < count; sent += AT_ONCE) {
    const some = Array.from({ length: Math.min(AT_ONCE, count - sent) }, async (_, n) =>
      n % 2 === 0 ? await of.post(execute, { token }) : await of.patch('/api/runbooks/Claimed.md/validate', { token }),
    );
    for (const { status } of await Promise.all(some)) expect(status).toBe(403);
  }
}
const entries = (text: string): string[] => text.match(/^### .* \| Exit Code: .*$/gm) ?? [];
const inFile = (of = server): string => readFileSync(path.join(of.runbooksDir, 'Claimed.md'), 'utf8');
const LAST = 'Later refusals are not in this file but in the ledger (`runbook history`), until the runbook runs again.';

function rows(of = server): { readonly refused: number; readonly bytes: number } {
  const database = new Database(path.join(of.stateDir, 'ledger.sqlite'), { readonly: true });
  try {
    const sql =
      "SELECT count(*) AS refused, coalesce(sum(length(record)), 0) AS bytes FROM transitions WHERE state = 'refused'";
    return database.prepare<[], { refused: number; bytes: number }>(sql).get() ?? { refused: -1, bytes: -1 };
  } finally {
    database.close();
  }
}

it('a document gets ten refusals between two runs, the ledger all of them', async () => {
  const count = times(60, 2000);
  await refuseMany(count);
  const text = inFile();
  expect(entries(text)).toHaveLength(10);
  expect(text.split(LAST)).toHaveLength(2);
  expect(text.lastIndexOf('### ')).toBeLessThan(text.indexOf(LAST));
  expect(statSync(path.join(server.runbooksDir, 'Claimed.md')).size).toBeLessThan(16 * 1024);
  const { refused, bytes } = rows();
  expect(refused).toBe(count);
  process.stdout.write(
    `${count} refusals: ${text.length - CLAIMED.length} bytes of document, ${Math.round(bytes / refused)} of ledger each\n`,
  );

  // Another document has its own.
  expect((await server.execute('Other.md', { token: other })).status).toBe(403);
  expect(entries(readFileSync(path.join(server.runbooksDir, 'Other.md'), 'utf8'))).toHaveLength(1);

  expect((await server.execute('Claimed.md')).done()).toMatchObject({ success: true });
  await refuseMany(40);
  expect(entries(inFile())).toHaveLength(21);
  // Stage0's first word on it is the newest again.
  expect(entries(inFile())[10]).toContain('Exit Code: 0');
});

it('where entries are in the ledger only, they do not push the runs out', async () => {
  const own = await startServer({ env: { RUNBOOK_HISTORY: 'ledger' }, runbooks: { 'Claimed.md': CLAIMED } });
  const token = await own.token({ sub: 'carl', roles: ['ux'] });
  await refuseMany(20, own, token);
  expect((await own.execute('Claimed.md')).done()).toMatchObject({ success: true });
  await refuseMany(60, own, token);
  const { content } = (await own.get('/api/runbooks/Claimed.md')).json() as { readonly content: string };
  expect(entries(content)).toHaveLength(11);
  expect(entries(content)[0]).toContain('Exit Code: 0');
  expect(inFile(own)).toBe(CLAIMED);
  expect(rows(own).refused).toBe(80);
});

it('who has no valid token leaves no row and no entry, only a line in the log', async () => {
  const before = [rows(), inFile()];
  const lines = (): number => server.log().filter(({ msg, status }) => msg === 'Request' && status === 401).length;
  const said = lines();
  const tokens = [null, 'a.b.c', await server.token({ exp: 1 }), await server.token({ aud: 'other' }), `${other}x`];
  for (const token of tokens)
    for (const answer of [
      await server.post(execute, { token }),
      await server.patch(execute.replace('execute', 'validate'), { token }),
    ])
      expect([answer.status, answer.headers['x-run-id']]).toEqual([401, undefined]);
  expect([rows(), inFile()]).toEqual(before);
  await expect.poll(() => lines() - said, { timeout: 30_000 }).toBe(2 * tokens.length);
});
