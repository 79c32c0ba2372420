/** Lines of the log that somebody is woken by say from where and about which runbook, and nothing that is a secret. */
import { symlinkSync } from 'node:fs';
import path from 'node:path';
import { expect, it, vi } from 'vitest';
import { classic } from '../../helpers/cli.ts';
import { startServer } from '../../helpers/server.ts';

const LATE = classic('Late', 'sleep 60').replace('# Script', '# Limits\n```yaml\ntimeout: 1s\n```\n\n# Script');
const server = await startServer({
  env: { ENABLE_LOGIN: 'true', TRUST_PROXY: '127.0.0.0/8', LOGGING_LEVEL: 'WARNING', RATE_LIMIT_ENABLED: 'true' },
  runbooks: {
    'Closed.md': classic('Closed', 'true', { claims: 'roles: nobody' }),
    'Needs.md': classic('Needs', 'true', { env: 'HOST: which one' }),
    'Late.md': LATE,
  },
  prepare: (folder) => symlinkSync('/etc/hostname', path.join(folder, 'runbooks', 'Out.md')),
});
const CANARY = 'canary-9c41e7';
const EXECUTE = '/api/runbooks/:name/execute';

interface Case {
  readonly msg: string;
  readonly route: string;
  /** Undefined: the line has none. */
  readonly runbook?: string;
  readonly ask: (headers: Readonly<Record<string, string>>) => Promise<unknown>;
}
const execute = (name: string, more: { readonly token?: string; readonly body?: unknown } = {}): Case['ask'] => {
  return async (headers) => await server.post(`/api/runbooks/${name}/execute`, { headers, ...more });
};
const BAD = `a.b.${CANARY}`;
const FORM = expect.stringMatching(/^Authentication failed: The token/) as string;

it.each<Case>([
  { msg: 'RBAC failure', route: EXECUTE, runbook: 'Closed.md', ask: execute('Closed.md') },
  {
    msg: 'RBAC failure',
    route: '/api/runbooks/:name/validate',
    runbook: 'Closed.md',
    ask: async (headers) => await server.patch('/api/runbooks/Closed.md/validate', { headers }),
  },
  {
    msg: 'Invalid environment variable name',
    route: EXECUTE,
    runbook: 'Needs.md',
    ask: execute('Needs.md', { body: { env_vars: { 'A-B': CANARY } } }),
  },
  {
    msg: 'Run refused',
    route: EXECUTE,
    runbook: 'Needs.md',
    ask: execute('Needs.md', { body: { env_vars: { OTHER: CANARY } } }),
  },
  { msg: 'Script execution timed out', route: EXECUTE, runbook: 'Late.md', ask: execute('Late.md') },
  { msg: FORM, route: EXECUTE, runbook: 'Late.md', ask: execute('Late.md', { token: BAD }) },
  // What callers make up, and what is not served, is no label.
  { msg: FORM, route: EXECUTE, ask: execute('Forged.md', { token: BAD }) },
  { msg: FORM, route: EXECUTE, ask: execute('Late', { token: BAD }) },
  { msg: FORM, route: EXECUTE, ask: execute('Out.md', { token: BAD }) },
  { msg: FORM, route: '/api/config', ask: async (headers) => await server.get('/api/config', { headers, token: BAD }) },
  {
    msg: 'Rate limit exceeded',
    route: '/dev-login',
    ask: async (headers) => {
      for (let n = 0; n < 10; n += 1)
        await server.post('/dev-login', { token: null, body: {}, headers: { 'x-forwarded-for': '198.51.100.7' } });
      await server.post('/dev-login', { token: null, body: {}, headers });
    },
  },
])('$msg, $route, $runbook', async ({ msg, route, runbook, ask }) => {
  const id = `id-${Math.random().toString(36).slice(2)}`;
  await ask({
    'x-correlation-id': id,
    'x-forwarded-for': '192.0.2.66, 198.51.100.7',
    'x-secret': CANARY,
  });
  const lines = () => server.log().filter(({ correlationId, level }) => correlationId === id && level === 'warn');
  await vi.waitFor(() => expect(lines()).toHaveLength(1), { timeout: 30_000 });
  const [line] = lines();
  expect(line).toMatchObject({ msg, address: '198.51.100.7', route, correlationId: id });
  expect(line?.['runbook']).toBe(runbook);
  expect(JSON.stringify(server.log())).not.toContain(CANARY);
});
