/** What goes on beside a run, with everything that a real one works with. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { createApp } from '../../src/app.ts';
import { loadSettings } from '../../src/cli/settings.ts';
import type { RunEvent } from '../../src/core/run.ts';
import { startDraft } from '../../src/engine/draft.ts';
import { execute } from '../../src/engine/execute.ts';
import { whileUnderWay } from '../../src/engine/under-way.ts';
import { classic } from '../helpers/cli.ts';
import { DOCUMENT, queuedRun, runIdOf, timeOf } from '../helpers/records.ts';
import { DEAD } from '../helpers/recovery.ts';
import { requestFor } from '../helpers/requests.ts';

const REQUEST = requestFor('./Long.md', 'ledger');

async function openApp(): ReturnType<typeof createApp> {
  const folder = mkdtempSync(path.join(tmpdir(), 'runbook-under-way-'));
  writeFileSync(
    path.join(folder, 'Long.md'),
    classic('Long', 'echo begun; while ! [ -e "$HOME/go" ]; do sleep 0.05; done'),
  );
  const environment = new Map([
    ['HOME', folder],
    ['PATH', process.env['PATH'] ?? ''],
    ['TMPDIR', folder],
  ]);
  const app = await createApp(await loadSettings(new Map(), environment, folder), {
    environment,
    cwd: folder,
    ci: false,
  });
  onTestFinished(() => {
    app.close();
    rmSync(folder, { recursive: true });
  });
  return app;
}

test('others whose owner is gone are looked after again and again', async () => {
  const ports = await (await openApp()).engine();
  const events: RunEvent[] = [];
  const tell = (event: RunEvent): void => {
    events.push(event);
  };
  const orphaned = async (n: number): Promise<void> => {
    await ports.ledger.enqueue(queuedRun(n), DEAD, DOCUMENT);
    while ((await ports.ledger.get(runIdOf(n)))?.state !== 'interrupted') await delay(5);
  };
  await whileUnderWay(
    ports,
    startDraft(ports, REQUEST),
    tell,
    async () => {
      for (const n of [1, 2]) await orphaned(n);
    },
    5,
  );
  expect(events.map((event) => event.type === 'notice' && event.message)).toEqual([
    expect.stringContaining(`Run ${runIdOf(1)} of Restart: Interrupted before its first step`),
    expect.stringContaining(`Run ${runIdOf(2)} of Restart: Interrupted before its first step`),
  ]);
  // Then nobody looks any more.
  await ports.ledger.enqueue(queuedRun(3), DEAD, DOCUMENT);
  await delay(30);
  expect(await ports.ledger.get(runIdOf(3))).toMatchObject({ state: 'queued' });
});

test('a run has its lease and its step in the ledger, and hears who cancels it', async () => {
  const ports = await (await openApp()).engine();
  const events: RunEvent[] = [];
  const result = await execute(ports, REQUEST, async (event) => {
    events.push(event);
    if (event.type !== 'stdout') return;
    const [one] = await ports.ledger.underWay();
    const { run, owner, leaseUntil, progress } = one ?? {};
    expect(owner).toEqual(ports.owners.current);
    expect(Date.parse(leaseUntil ?? '')).toBeGreaterThan(Date.parse(run?.enqueuedAt ?? ''));
    expect(progress).toMatchObject({ step: 0, of: 1 });
    await ports.ledger.requestCancel(run?.runId ?? '', {
      schemaVersion: 1,
      operationId: runIdOf(9),
      operation: 'cancel',
      at: timeOf(9),
      who: { osUser: 'anna', host: 'ops-2' },
      toolVersion: '0.1.0',
      reason: 'enough',
      run: run?.runId ?? '',
    });
  });
  const message = 'Canceled by anna@ops-2: enough.';
  expect(result).toMatchObject({ outcome: 'canceled', signal: 'SIGTERM', reason: message });
  expect(events).toContainEqual(expect.objectContaining({ type: 'notice', level: 'warning', message }));
  expect(await ports.ledger.underWay()).toEqual([]);
});
