/** What people write into a request stands in its record, without the secrets that are in it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createApp } from '../../src/app.ts';
import { loadSettings } from '../../src/cli/settings.ts';
import type { RunRequest, StopReason } from '../../src/core/run.ts';
import type { EnginePorts } from '../../src/engine/ports.ts';
import { execute } from '../../src/engine/execute.ts';
import { classic } from '../helpers/cli.ts';
import { failureOf } from '../helpers/failure.ts';
import { requestFor } from '../helpers/requests.ts';

const SECRET = 'k3y-0f-th3-run-4711';

async function engine(): Promise<EnginePorts> {
  const folder = mkdtempSync(path.join(tmpdir(), 'runbook-told-'));
  writeFileSync(path.join(folder, 'Task.md'), classic('Task', 'true', { env: 'DB_PASSWORD:\n  secret: true' }));
  const environment = new Map([
    ['HOME', folder],
    ['PATH', process.env['PATH'] ?? ''],
    ['TMPDIR', folder],
    ['DB_PASSWORD', SECRET],
  ]);
  const settings = await loadSettings(new Map(), environment, folder);
  const app = await createApp(settings, { environment, cwd: folder, ci: false });
  onTestFinished(() => {
    app.close();
    rmSync(folder, { recursive: true });
  });
  return await app.engine();
}

const recordsOf = ({ ledger }: EnginePorts): string => [...ledger.links()].map(({ record }) => record).join('\n');

test.each<[what: string, change: Partial<RunRequest>, shown: string]>([
  ['the name of a runbook', { reference: 'https://anna:abc@ci/Task.md' }, 'https://anna:***@ci/Task'],
  ['an incident', { incident: 'https://anna:abc@ci/INC-1' }, 'https://anna:***@ci/INC-1'],
  ['a step', { choice: { kind: 'from', step: 'https://anna:abc@ci/' } }, 'https://anna:***@ci/'],
])('no password of an address is in the record of a refusal: %s', async (_, change, shown) => {
  const ports = await engine();
  const request: RunRequest = { ...requestFor('./Task.md', 'ledger'), reference: './None.md', ...change };
  const reference = change.choice === undefined ? request.reference : './Task.md';
  expect(await failureOf(() => execute(ports, { ...request, reference }, () => {}))).not.toBeNull();
  const records = recordsOf(ports);
  expect(records).toContain(shown);
  expect(records).not.toContain('abc@');
});

test('why a run was canceled before it began is recorded without its secrets', async () => {
  const ports = await engine();
  const stop = new AbortController();
  const request = { ...requestFor('./Task.md', 'ledger'), signal: stop.signal };
  const failure = await failureOf(() =>
    execute(ports, request, ({ type }) => {
      const message = `Canceled by anna: not with ${SECRET}.`;
      if (type === 'queued') stop.abort({ signal: 'SIGTERM', message } satisfies StopReason);
    }),
  );
  expect(failure).not.toBeNull();
  const [run] = await ports.ledger.list({ limit: 1 });
  expect(run).toMatchObject({ startedAt: null, result: { reason: 'Canceled by anna: not with ***.' } });
  expect(recordsOf(ports)).not.toContain(SECRET);
});
