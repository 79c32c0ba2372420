/** What a plan tells a caller from elsewhere, who must not learn from it what a run would not have told. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createApp } from '../../src/app.ts';
import { loadSettings } from '../../src/cli/settings.ts';
import type { RunRequest } from '../../src/core/run.ts';
import { planRun } from '../../src/engine/plan.ts';
import type { RunPlan } from '../../src/engine/planned.ts';
import { classic } from '../helpers/cli.ts';
import { requestFor } from '../helpers/requests.ts';

async function planned(claims: string | undefined, change: Partial<RunRequest>): Promise<RunPlan> {
  const folder = mkdtempSync(path.join(tmpdir(), 'runbook-plan-'));
  const env = 'OWN: of the caller\nOURS: of the server\nMISSING: nobody has it';
  const sections = claims === undefined ? { env } : { env, claims };
  writeFileSync(path.join(folder, 'Task.md'), classic('Task', 'true', sections));
  const environment = new Map([
    ['HOME', folder],
    ['PATH', process.env['PATH'] ?? ''],
    ['TMPDIR', folder],
    ['OURS', 'a value of the server'],
  ]);
  const resolved = await loadSettings(new Map(), environment, folder);
  const app = await createApp(resolved, { environment, cwd: folder, ci: false, ledgerUse: 'foresee' });
  onTestFinished(() => {
    app.close();
    rmSync(folder, { recursive: true });
  });
  const given = new Map([['OWN', 'a value of the caller']]);
  return await planRun(await app.engine(), { ...requestFor('./Task.md', 'ledger'), given, ...change });
}

test('who lacks claims over HTTP is told that alone, and at the terminal all the rest as well', async () => {
  const there = await planned('roles: [sre]', { source: 'api' });
  expect(there.refusals.map(({ code }) => code)).toEqual(['unauthenticated']);
  expect(there).toMatchObject({
    variables: [],
    steps: [],
    environment: [],
    inputs: [],
    claims: { answer: 'no token' },
  });
  const here = await planned('roles: [sre]', { source: 'cli' });
  expect(here.refusals.map(({ code }) => code)).toEqual(['unauthenticated', 'requirements-unmet']);
  expect(here.steps).toHaveLength(1);
});

test('values of the server’s environment are not for its callers', async () => {
  const valuesOf = ({ variables }: RunPlan): unknown => variables.map(({ source, value }) => [source, value]);
  expect(valuesOf(await planned(undefined, { source: 'api' }))).toEqual([
    ['given', 'a value of the caller'],
    ['environment', null],
    ['missing', null],
  ]);
  expect(valuesOf(await planned(undefined, { source: 'cli' }))).toEqual([
    ['given', 'a value of the caller'],
    ['environment', 'a value of the server'],
    ['missing', null],
  ]);
});
