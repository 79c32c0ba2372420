/** Puts the server together and lets it listen; what it does beside requests is here, too. */
import { availableParallelism } from 'node:os';
import type { DestinationStream } from 'pino';
import { createApp } from '../app.ts';
import type { App, Surroundings } from '../app.ts';
import { apiUrlOf } from '../app/environment.ts';
import { RunbookError } from '../core/errors.ts';
import { messageOf } from '../core/failures.ts';
import type { StopReason } from '../core/run.ts';
import type { ResolvedSettings } from '../core/settings.ts';
import { createAdmission } from '../engine/admission.ts';
import type { EnginePorts } from '../engine/ports.ts';
import { recover } from '../engine/recover.ts';
import { repeat } from '../engine/repeat.ts';
import { settle } from '../engine/settle.ts';
import { lookAfterOutput } from '../engine/retention.ts';
import { VERSION } from '../version.ts';
import { createActiveRuns } from './active-runs.ts';
import type { ServerContext } from './context.ts';
import { createKeyTurns } from './execution/keys.ts';
import { reloadKeys, watchKeys } from './keys.ts';
import { watchLedger } from './ledger-state.ts';
import { createKnownNames } from './known-names.ts';
import { listen } from './listen.ts';
import { createLimits } from './limits/limits.ts';
import { createLog } from './log.ts';
import { logTo } from './log-output.ts';
import { createMetrics } from './metrics.ts';
import { createReadiness, isReady } from './readiness.ts';
import type { Check } from './readiness.ts';
import { createQuestions } from './runs/questions.ts';
import { createHub } from './runs/hub.ts';
import { createStreams } from './runs/streams.ts';
import { createServer } from './server.ts';
import { lookAround, prepareSettings } from './startup.ts';

interface RunningServer {
  readonly app: App;
  /** `http://127.0.0.1:8083` */
  readonly address: string;
  readonly warnings: readonly string[];
  readonly checks: readonly Check[];
  /** Whether what they say is good enough to take requests. */
  readonly ready: boolean;
  /** Runs that go on. */
  readonly activeRuns: number;
  /** Whether `stopRuns` ended any. */
  readonly hasStoppedRuns: boolean;
  /** No more runs are taken. Resolves when those that go on have ended, and their callers have been told. */
  drain(): Promise<void>;
  stopRuns(reason: StopReason): void;
  forceRuns(): void;
  /** Never throws: the log says how it went. */
  reloadKeys(): Promise<void>;
  /** Lets go of everything; whoever still is connected then has a moment to go. */
  close(): Promise<void>;
}

/** Whoever waits may ask another server: nothing of the run has happened. */
const NOT_BEGUN = 'The server is about to end, and the run had not begun: it waited for its place in the queue.';
const CARE_MS = 30_000;
/** Who holds a connection open, and sends or takes nothing, does not hold up the end for longer. */
const GOODBYE_MS = 1000;

/** @param logOutput gets the log, a JSON object a line: a file descriptor, or whoever takes lines  @param assets folder of the explorer's files  @throws RunbookError `settings`, `unavailable`, `io` */
export async function startServer(
  given: ResolvedSettings,
  surroundings: Omit<Surroundings, 'face'>,
  logOutput: number | DestinationStream,
  assets: string,
): Promise<RunningServer> {
  const { resolved, warnings: ofSettings } = prepareSettings(given);
  const warnings = [...ofSettings];
  const { settings } = resolved;
  const log = createLog(settings, typeof logOutput === 'number' ? logTo(logOutput) : logOutput);
  const app = await createApp(resolved, { ...surroundings, face: 'server' });
  let closeLimits = (): void => {};
  try {
    let port = settings.apiPort;
    await app.authenticator.ready().catch((error: unknown) => {
      // A provider that is away comes back; wrong settings do not become right.
      if (!(error instanceof RunbookError) || error.code !== 'unavailable') throw error;
      log.warn(error.message);
    });
    const ports = await app.engine();
    warnings.push(...(await lookAround(app, ports)));
    const places = {
      maxRunning: settings.maxConcurrentRuns ?? 2 * availableParallelism(),
      maxWaiting: settings.maxQueuedRuns,
    };
    const admission = createAdmission(places, app.clock, (waitedMs) => {
      metrics.waited(waitedMs / 1000);
    });
    const { ledger, state: ledgerState } = watchLedger(ports.ledger, ports.stateDir);
    const engine: EnginePorts = {
      ...ports,
      ledger,
      admission,
      // With port 0 it is known only when the server listens.
      get apiUrl() {
        return apiUrlOf(settings, port);
      },
    };
    const settled = await settle(engine);
    if (settled !== null)
      log.warn(
        { from: settled.from, runIds: settled.runIds },
        'The ledger was copied from elsewhere: it is one of its own now',
      );
    const runs = createActiveRuns();
    const questions = createQuestions();
    const hub = createHub(engine.ledger, (runId) => questions.of(runId));
    const streams = createStreams(settings.maxStreams);
    const limits = await createLimits({ settings, log });
    closeLimits = () => {
      limits.close();
    };
    const readiness = createReadiness({ app, engine, runs, limits, log });
    const metrics = createMetrics({
      activeRuns: () => runs.count,
      streams: () => streams.count,
      queuedRuns: () => admission.waiting,
      keyStates: () => app.authenticator.keyStates(),
      ledger: ledgerState,
      readiness,
      version: VERSION,
    });
    const knownNames = createKnownNames(engine.source, engine.clock);
    const context: ServerContext = {
      app,
      resolved,
      settings,
      engine,
      admission,
      runs,
      limits,
      metrics,
      readiness,
      knownNames,
      questions,
      keyTurns: createKeyTurns(),
      ends: new Map(),
      hub,
      streams,
      log,
    };
    const http = await createServer(context, assets);
    const listening = await listen(http, settings.bind, port);
    port = listening.port;
    for (const warning of warnings) log.warn(warning);
    const tellOfKeys = watchKeys(log);
    const stopCare = repeat(CARE_MS, async () => {
      tellOfKeys(app.authenticator.keyStates());
      await lookAfter(context);
    });
    const firstCare = lookAfter(context);
    const checks = await readiness();
    return {
      app,
      address: listening.address,
      warnings,
      checks,
      ready: isReady(checks),
      get activeRuns() {
        return runs.count;
      },
      get hasStoppedRuns() {
        return runs.hasStopped;
      },
      drain: async () => {
        log.info({ activeRuns: runs.count, waiting: admission.waiting }, 'Draining: no more runs are taken');
        admission.close(new RunbookError('busy', NOT_BEGUN, { fix: 'Ask for it again in a moment.' }));
        await runs.drain();
      },
      stopRuns: (reason) => {
        if (runs.count > 0) log.warn({ activeRuns: runs.count, reason: reason.message ?? null }, 'Runs are ended');
        runs.stop(reason);
      },
      forceRuns: () => {
        runs.force();
      },
      reloadKeys: async () => {
        await reloadKeys(app.authenticator, log);
      },
      close: async () => {
        await Promise.all([firstCare, stopCare()]);
        const goodbye = setTimeout(() => http.server.closeAllConnections(), GOODBYE_MS);
        await http.close().catch((error: unknown) => {
          log.error({ reason: messageOf(error) }, 'Not everything could be closed');
        });
        clearTimeout(goodbye);
        closeLimits();
        app.close();
        log.info('Ended');
      },
    };
  } catch (error) {
    closeLimits();
    app.close();
    throw error;
  }
}

/** Never throws: it has nothing to do with any request. */
async function lookAfter({ engine, log }: ServerContext): Promise<void> {
  await recover(engine, async (warning) => {
    log.warn(warning);
  });
  await lookAfterOutput(engine);
}
