/** Puts the server together and lets it listen; what it does beside requests is here, too. */
import type { AddressInfo } from 'node:net';
import type { Writable } from 'node:stream';
import { createApp } from '../app.ts';
import type { App, Surroundings } from '../app.ts';
import { apiUrlOf } from '../app/environment.ts';
import { RunbookError } from '../core/errors.ts';
import type { StopReason } from '../core/run.ts';
import type { ResolvedSettings } from '../core/settings.ts';
import type { EnginePorts } from '../engine/ports.ts';
import { recover } from '../engine/recover.ts';
import { repeat } from '../engine/repeat.ts';
import { settle } from '../engine/settle.ts';
import { lookAfterOutput } from '../engine/retention.ts';
import { VERSION } from '../version.ts';
import { createActiveRuns } from './active-runs.ts';
import type { ServerContext } from './context.ts';
import { createLog } from './log.ts';
import { createMetrics } from './metrics.ts';
import { readiness } from './readiness.ts';
import type { Check } from './readiness.ts';
import { createServer } from './server.ts';
import { lookAround, prepareSettings } from './startup.ts';

export interface RunningServer {
  readonly app: App;
  /** `http://127.0.0.1:8083` */
  readonly address: string;
  readonly warnings: readonly string[];
  readonly checks: readonly Check[];
  /** Runs that go on. */
  readonly activeRuns: number;
  /** No more runs are taken. Resolves when those that go on have ended. */
  drain(): Promise<void>;
  stopRuns(reason: StopReason): void;
  forceRuns(): void;
  /** Lets go of everything. */
  close(): Promise<void>;
}

const CARE_MS = 30_000;

/** @param logTo gets the log, a JSON object a line  @param assets folder of the explorer's files  @throws RunbookError `settings`, `unavailable`, `io` */
export async function startServer(
  given: ResolvedSettings,
  surroundings: Omit<Surroundings, 'face'>,
  logTo: Writable,
  assets: string,
): Promise<RunningServer> {
  const { resolved, warnings: ofSettings } = prepareSettings(given);
  const warnings = [...ofSettings];
  const { settings } = resolved;
  const log = createLog(settings, logTo);
  const app = await createApp(resolved, { ...surroundings, face: 'server' });
  try {
    let port = settings.apiPort;
    await app.authenticator.ready().catch((error: unknown) => {
      // A provider that is away comes back; wrong settings do not become right.
      if (!(error instanceof RunbookError) || error.code !== 'unavailable') throw error;
      log.warn(error.message);
    });
    const ports = await app.engine();
    warnings.push(...(await lookAround(app, ports)));
    const engine: EnginePorts = {
      ...ports,
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
    for (const warning of warnings) log.warn(warning);
    const runs = createActiveRuns();
    const metrics = createMetrics(() => runs.count, VERSION);
    const context: ServerContext = { app, resolved, settings, engine, runs, metrics, log };
    const http = await createServer(context, assets);
    const address = await http.listen({ host: settings.bind, port });
    port = portOf(http.server.address()) ?? port;
    const stopCare = repeat(CARE_MS, async () => {
      await lookAfter(context);
    });
    void lookAfter(context);
    return {
      app,
      address,
      warnings,
      checks: await readiness(context),
      get activeRuns() {
        return runs.count;
      },
      drain: async () => {
        await runs.drain();
      },
      stopRuns: (reason) => {
        runs.stop(reason);
      },
      forceRuns: () => {
        runs.force();
      },
      close: async () => {
        await stopCare();
        await http.close();
        app.close();
      },
    };
  } catch (error) {
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

function portOf(address: AddressInfo | string | null): number | null {
  return typeof address === 'object' ? (address?.port ?? null) : null;
}
