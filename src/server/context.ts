/** What every part of the server works with. */
import type {
  FastifyBaseLogger,
  FastifyInstance,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from 'fastify';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { App } from '../app.ts';
import type { ResolvedSettings, Settings } from '../core/settings.ts';
import type { Admission } from '../engine/admission.ts';
import type { EnginePorts } from '../engine/ports.ts';
import type { KeyTurns } from './execution/keys.ts';
import type { ActiveRuns } from './active-runs.ts';
import type { KnownNames } from './known-names.ts';
import type { Limits } from './limits/limits.ts';
import type { Metrics } from './metrics.ts';
import type { Readiness } from './readiness.ts';
import type { Questions } from './runs/questions.ts';
import type { Hub } from './runs/hub.ts';
import type { Streams } from './runs/streams.ts';

/** Fastify with types that follow the schema of a route. */
export type Http = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;

export interface ServerContext {
  readonly app: App;
  readonly resolved: ResolvedSettings;
  readonly settings: Settings;
  readonly engine: EnginePorts;
  readonly admission: Admission;
  readonly runs: ActiveRuns;
  readonly limits: Limits;
  readonly metrics: Metrics;
  readonly readiness: Readiness;
  readonly knownNames: KnownNames;
  /** Of steps that ask, in runs that are carried out here. */
  readonly questions: Questions;
  readonly keyTurns: KeyTurns;
  /** Of runs that are carried out here, by id: settled when the run is over. */
  readonly ends: Map<string, Promise<void>>;
  /** Runs that are carried out here, as they are told live. */
  readonly hub: Hub;
  /** Of events, that are read now. */
  readonly streams: Streams;
  readonly log: FastifyBaseLogger;
}
