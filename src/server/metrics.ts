/** What Prometheus is told: Stage0's three names, by route and not by path, and our own. */
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';
import type { RunResult } from '../core/run.ts';
import { isInTrouble } from './keys.ts';
import type { KeyState } from './keys.ts';
import type { LedgerState } from './ledger-state.ts';
import type { Readiness } from './readiness.ts';

export interface Metrics {
  readonly registry: Registry;
  /** @param route template of the route; null where there is none */
  request(method: string, route: string | null, status: number, seconds: number): void;
  /** What did not come as far as a route: it took no time that says anything. */
  unrouted(method: string, status: number): void;
  exception(method: string, status: number): void;
  run(
    runbook: string,
    result: Pick<RunResult, 'outcome' | 'durationMs' | 'survivors'> & { readonly dropped: number },
  ): void;
  /** A run has begun, so long after it was asked for. */
  waited(seconds: number): void;
  /** @param code of `core/errors.ts`, or of HTTP alone */
  refusal(code: string): void;
  /** A request was one too many. */
  limited(limit: string): void;
}

/** As the Python client has them. */
const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];
const WAIT_BUCKETS = [0.01, 0.1, 1, 5, 15, 60, 300, 900, 3600];
const RUN_BUCKETS = [0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600, 14_400];
/** Whoever writes documents into the folder names them as often as he likes. Each has 18 series. */
const MAX_RUNBOOKS = 500;
const OTHERS = 'other';

export interface MetricSources {
  /** All but the version are asked at each scrape. */
  readonly activeRuns: () => number;
  readonly streams: () => number;
  readonly queuedRuns: () => number;
  readonly keyStates: () => readonly KeyState[];
  readonly ledger: LedgerState;
  readonly readiness: Readiness;
  readonly version: string;
}

export function createMetrics({
  activeRuns,
  queuedRuns,
  streams,
  keyStates,
  ledger,
  readiness,
  version,
}: MetricSources): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const duration = new Histogram({
    name: 'flask_http_request_duration_seconds',
    help: 'Time until the answer began, by route',
    labelNames: ['method', 'path', 'status'],
    buckets: BUCKETS,
    registers,
  });
  const total = new Counter({
    name: 'flask_http_request_total',
    help: 'Requests',
    labelNames: ['method', 'status'],
    registers,
  });
  const exceptions = new Counter({
    name: 'flask_http_request_exceptions_total',
    help: 'Requests that ended in a bug of ours',
    labelNames: ['method', 'status'],
    registers,
  });
  const runs = new Counter({
    name: 'runbook_runs_total',
    help: 'Runs that ended, by runbook and outcome',
    labelNames: ['runbook', 'outcome'],
    registers,
  });
  const runSeconds = new Histogram({
    name: 'runbook_run_duration_seconds',
    help: 'How long runs took, by runbook',
    labelNames: ['runbook'],
    buckets: RUN_BUCKETS,
    registers,
  });
  const dropped = new Counter({
    name: 'runbook_output_dropped_bytes_total',
    help: 'Output beyond the cap, which is not kept',
    registers,
  });
  const survivors = new Counter({
    name: 'runbook_survivors_total',
    help: 'Processes of runs that could not be ended',
    registers,
  });
  // Who retires a key looks here first: nobody may use it any more.
  const labelNames = ['issuer', 'key', 'source'];
  const keyUses = new Counter({
    name: 'runbook_key_uses_total',
    help: 'Tokens that the key has verified since the start',
    labelNames,
    registers,
    collect() {
      keyUses.reset();
      for (const { issuer, keyId, source, uses } of keyStates())
        if (keyId !== null) keyUses.inc({ issuer: issuer ?? '', key: keyId, source }, uses);
    },
  });
  const keyStale = new Gauge({
    name: 'runbook_key_stale',
    help: '1 where the key could not be fetched again when it should have been',
    labelNames,
    registers,
    collect() {
      keyStale.reset();
      for (const state of keyStates())
        keyStale.set(
          { issuer: state.issuer ?? '', key: state.keyId ?? '', source: state.source },
          isInTrouble(state) ? 1 : 0,
        );
    },
  });
  const keyAge = new Gauge({
    name: 'runbook_key_age_seconds',
    help: 'How long ago the key was fetched, or seen to be the one that is in its file',
    labelNames,
    registers,
    collect() {
      keyAge.reset();
      for (const { issuer, keyId, source, fetchedAt } of keyStates())
        if (fetchedAt !== null)
          keyAge.set(
            { issuer: issuer ?? '', key: keyId ?? '', source },
            Math.max(0, (Date.now() - fetchedAt.getTime()) / 1000),
          );
    },
  });
  const ledgerBytes = new Gauge({
    name: 'runbook_ledger_bytes',
    help: 'Size of the ledger, without the outputs',
    registers,
    async collect() {
      const bytes = await ledger.bytes();
      if (bytes === null) ledgerBytes.remove();
      else ledgerBytes.set(bytes);
    },
  });
  const ledgerFailures = new Counter({
    name: 'runbook_ledger_failures_total',
    help: 'How often the ledger could not be read or written',
    labelNames: ['failure'],
    registers,
    collect() {
      ledgerFailures.reset();
      for (const [failure, count] of ledger.failures) ledgerFailures.inc({ failure }, count);
    },
  });
  const refusals = new Counter({
    name: 'runbook_refusals_total',
    help: 'Requests that were refused, by the code of their answer',
    labelNames: ['code'],
    registers,
  });
  const limited = new Counter({
    name: 'runbook_rate_limited_total',
    help: 'Requests that were one too many, by limit',
    labelNames: ['limit'],
    registers,
  });
  const active = new Gauge({
    name: 'runbook_runs_active',
    help: 'Runs that go on now',
    registers,
    collect() {
      active.set(activeRuns());
    },
  });
  const sse = new Gauge({
    name: 'runbook_sse_connections',
    help: 'Streams of events of runs that are read now',
    registers,
    collect() {
      sse.set(streams());
    },
  });
  const queued = new Gauge({
    name: 'runbook_runs_queued',
    help: 'Runs that wait for their place',
    registers,
    collect() {
      queued.set(queuedRuns());
    },
  });
  const waits = new Histogram({
    name: 'runbook_run_wait_seconds',
    help: 'How long runs that began had waited for their place',
    buckets: WAIT_BUCKETS,
    registers,
  });
  const ready = new Gauge({
    name: 'runbook_ready',
    help: 'Whether what /readyz looks at is all right (1), by its name',
    labelNames: ['check'],
    registers,
    async collect() {
      for (const { name, ok } of await readiness()) ready.set({ check: name }, ok ? 1 : 0);
    },
  });
  new Gauge({ name: 'runbook_info', help: 'Version', labelNames: ['version'], registers }).set({ version }, 1);
  const labelOf = bounded(MAX_RUNBOOKS);
  return {
    registry,
    request: (method, route, status, seconds) => {
      const path = route ?? 'unmatched';
      duration.observe({ method, path, status: String(status) }, seconds);
      total.inc({ method, status: String(status) });
    },
    unrouted: (method, status) => {
      total.inc({ method, status: String(status) });
    },
    exception: (method, status) => {
      exceptions.inc({ method, status: String(status) });
    },
    run: (name, result) => {
      const runbook = labelOf(name);
      runs.inc({ runbook, outcome: result.outcome });
      runSeconds.observe({ runbook }, result.durationMs / 1000);
      dropped.inc(result.dropped);
      survivors.inc(result.survivors.length);
    },
    waited: (seconds) => {
      waits.observe(seconds);
    },
    refusal: (code) => {
      refusals.inc({ code });
    },
    limited: (limit) => {
      limited.inc({ limit });
    },
  };
}

/** The first so many names are told as they are. */
function bounded(most: number): (name: string) => string {
  const known = new Set<string>();
  return (name) => {
    if (known.size < most) known.add(name);
    return known.has(name) ? name : OTHERS;
  };
}
