import { expect, test } from 'vitest';
import { classic } from '../../helpers/cli.ts';
import { startServer } from '../../helpers/server.ts';

const server = await startServer({ runbooks: { 'Hello.md': classic('Hello', 'echo hello') } });

test('a runbook is executed, and its output comes as events', async () => {
  expect((await server.get('/healthz', { token: null })).status).toBe(200);
  const run = await server.execute('Hello.md');
  expect(run.output('stdout')).toBe('hello\n');
  expect(run.done()).toMatchObject({ success: true });
});
