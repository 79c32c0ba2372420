/** What is told of a server: how many series there can be, and that the page about it has them all. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import type { LedgerFailure } from '../../../src/server/ledger-state.ts';
import { createMetrics } from '../../../src/server/metrics.ts';
import type { Metrics } from '../../../src/server/metrics.ts';
import { REPOSITORY } from '../../helpers/cli.ts';

interface State {
  bytes: number | null;
  readonly failures: Map<LedgerFailure, number>;
}

const NOW = Date.now();
const KEY = { issuer: 'https://idp', source: 'url', uses: 3, lastUsedAt: null, stale: false, problem: null } as const;

function metricsOf(state: State = { bytes: null, failures: new Map() }): Metrics {
  return createMetrics({
    activeRuns: () => 2,
    streams: () => 3,
    queuedRuns: () => 4,
    keyStates: () => [
      { ...KEY, keyId: 'fresh', fetchedAt: new Date(NOW - 60_000) },
      { ...KEY, keyId: 'set by hand', fetchedAt: null },
    ],
    ledger: { failures: state.failures, bytes: async () => state.bytes },
    readiness: async () => [{ name: 'ledger', ok: true, detail: 'can be written' }],
    version: '0',
  });
}

const seriesOf = async (registry: Registry): Promise<readonly string[]> =>
  (await registry.metrics()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));

describe('series', () => {
  it('by runbook have a bound: those that come later are told together', async () => {
    const metrics = metricsOf();
    const run = (name: string): void => {
      metrics.run(name, { outcome: 'succeeded', durationMs: 100, survivors: [], dropped: 0 });
    };
    for (let count = 0; count < 500; count += 1) run(`Known${count}.md`);
    run('New.md');
    const before = (await seriesOf(metrics.registry)).length;
    for (let count = 0; count < 1000; count += 1) run(`Later${count}.md`);
    run('Known7.md');
    const series = await seriesOf(metrics.registry);
    expect(series).toHaveLength(before);
    expect(series).toContain('runbook_runs_total{runbook="other",outcome="succeeded"} 1001');
    expect(series).toContain('runbook_runs_total{runbook="Known7.md",outcome="succeeded"} 2');
    expect(series).toContain('runbook_run_duration_seconds_count{runbook="other"} 1001');
  });

  it('of the ledger follow it, also when it is not there', async () => {
    const state: State = { bytes: 4096, failures: new Map([['io', 0]]) };
    const { registry } = metricsOf(state);
    const told = async (): Promise<readonly string[]> =>
      (await seriesOf(registry)).filter((line) => line.startsWith('runbook_ledger'));
    expect(await told()).toEqual(['runbook_ledger_bytes 4096', 'runbook_ledger_failures_total{failure="io"} 0']);
    state.bytes = null;
    state.failures.set('io', 5);
    expect(await told()).toEqual(['runbook_ledger_failures_total{failure="io"} 5']);
    expect(await told()).toEqual(['runbook_ledger_failures_total{failure="io"} 5']);
  });

  it('of keys say how old what was fetched is, and nothing of what never is', async () => {
    const ages = (await seriesOf(metricsOf().registry)).filter((line) => line.startsWith('runbook_key_age_seconds'));
    expect(ages).toHaveLength(1);
    const [name, value] = [ages[0]?.slice(0, ages[0].lastIndexOf(' ')), Number(ages[0]?.split(' ').at(-1))];
    expect(name).toBe('runbook_key_age_seconds{issuer="https://idp",key="fresh",source="url"}');
    expect(value).toBeGreaterThanOrEqual(60);
    expect(value).toBeLessThan(600);
  });
});

it('docs/serve.md has each with its type and its labels, and none that is not', () => {
  const page = readFileSync(path.join(REPOSITORY, 'docs/serve.md'), 'utf8');
  const section = page.split('\n## Metrics\n')[1]?.split('\n## ')[0] ?? '';
  const rows = section.split('\n').filter((line) => line.startsWith('| `'));
  const told = rows.map((row) => {
    const [, name = '', type = '', labels = ''] = row.split('|').map((cell) => cell.trim());
    return [name, type, labels].join(' ').replaceAll('`', '');
  });
  // Those of the process and of Node come with the library, which describes them.
  const isOurs = ({ name }: { readonly name: string }): boolean =>
    !name.startsWith('process_') && !name.startsWith('nodejs_');
  const there = metricsOf()
    .registry.getMetricsAsArray()
    .filter(isOurs)
    .map((metric) => {
      const labels = 'labelNames' in metric ? (metric.labelNames as readonly string[]) : [];
      return [metric.name, metric.type, labels.length === 0 ? '–' : labels.join(', ')].join(' ');
    });
  expect(told.toSorted()).toEqual(there.toSorted());
});
