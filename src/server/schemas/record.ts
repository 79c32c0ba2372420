/** A record of a run, as it is reported: every member that there is, and no other. */
import { Type } from 'typebox';
import type { TProperties, TSchema } from 'typebox';
import { RUNGS } from '../../core/containment.ts';
import { ERRORS } from '../../core/errors.ts';
import type { Outcome } from '../../core/run.ts';

const closed = <T extends TProperties>(properties: T) => Type.Object(properties, { additionalProperties: false });
const orNull = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);
const oneOf = (values: readonly string[]) => Type.Union(values.map((value) => Type.Literal(value)));

const RunIdText = Type.String({ pattern: '^[0-9A-HJKMNP-TV-Z]{26}$' });
const Digest = Type.String({ pattern: '^[0-9a-f]{64}$' });
const Instant = Type.String({ pattern: '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}[.][0-9]{3}Z$' });
const Name = Type.String({ maxLength: 255 });
const Text = Type.String({ maxLength: 256 * 1024 });
const Count = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
const Ms = Type.Number({ minimum: 0 });
const Exit = Type.Integer({ minimum: 0, maximum: 255 });
const Signal = Type.String({ pattern: '^SIG[A-Z0-9]{1,16}$' });
const Texts = Type.Array(Text, { maxItems: 1000 });

const OUTCOMES: readonly Outcome[] = ['succeeded', 'failed', 'timed-out', 'canceled', 'limit-exceeded', 'spawn-failed'];

const StepRecord = closed({
  name: Text,
  line: Type.Integer({ minimum: 1 }),
  outcome: oneOf([...OUTCOMES, 'skipped']),
  exitCode: orNull(Exit),
  signal: orNull(Signal),
  startedAt: orNull(Instant),
  durationMs: Ms,
  reason: Type.Optional(Text),
  confirmedBy: Type.Optional(oneOf(['answer', 'typing', 'yes'])),
});
const Steps = Type.Array(StepRecord, { maxItems: 1000 });
const Survivors = Type.Array(closed({ pid: Count, command: Text }), { maxItems: 10_000 });

const Result = closed({
  runId: RunIdText,
  outcome: oneOf(OUTCOMES),
  exitCode: orNull(Exit),
  signal: orNull(Signal),
  steps: Steps,
  output: closed({ bytes: Count, dropped: Count, digest: Digest, lost: Type.Optional(Text) }),
  startedAt: Instant,
  finishedAt: Instant,
  durationMs: Ms,
  survivors: Survivors,
  containment: closed({ claim: oneOf(['proven', 'best effort']), reason: orNull(Text) }),
  artifacts: Type.Array(
    closed({
      path: Text,
      bytes: Count,
      digest: orNull(Digest),
      masked: Type.Boolean(),
      kept: Type.Boolean(),
      reason: orNull(Text),
    }),
    { maxItems: 10_000 },
  ),
  reason: orNull(Text),
  workFolder: orNull(Text),
  cancels: Type.Optional(Type.Array(closed({ operationId: RunIdText, reason: orNull(Text) }), { maxItems: 1000 })),
});

const InterruptionRecord = closed({
  at: Instant,
  reason: Text,
  progress: orNull(closed({ step: Count, of: Count, name: Text, at: Instant })),
  steps: Type.Optional(Steps),
  survivors: orNull(Survivors),
  workFolder: orNull(Text),
  output: Type.Optional(orNull(closed({ bytes: Count, digest: Digest }))),
});

const Record = closed({
  schemaVersion: Type.Literal(1),
  runId: RunIdText,
  operation: Type.Literal('execute'),
  state: oneOf(['finished', 'interrupted', 'refused']),
  enqueuedAt: Instant,
  runbook: closed({
    name: Name,
    digest: orNull(Digest),
    path: orNull(Text),
    gitCommit: Type.Optional(Type.String({ pattern: '^[0-9a-f]{40,64}$' })),
    gitDirty: Type.Optional(Type.Boolean()),
  }),
  who: closed({
    subject: orNull(Text),
    roles: Texts,
    issuer: orNull(Text),
    keyId: orNull(Text),
    tokenId: orNull(Text),
    selfMade: Type.Boolean(),
    osUser: orNull(Text),
    host: orNull(Text),
    address: orNull(Text),
  }),
  source: oneOf(['cli', 'api', 'ci', 'image']),
  toolVersion: Type.String({ minLength: 1, maxLength: 100 }),
  containment: orNull(closed({ rung: oneOf(RUNGS), reaper: orNull(Name), cgroups: Texts, refused: Texts })),
  correlationId: Type.String({ pattern: '^[A-Za-z0-9._-]{1,64}$' }),
  callChain: Texts,
  continues: Type.Optional(RunIdText),
  steps: Type.Optional(closed({ from: Type.Optional(Text), only: Type.Optional(Text) })),
  incident: orNull(Text),
  rehearsal: Type.Boolean(),
  historyMode: oneOf(['file', 'ledger']),
  keepWorkFolder: Type.Optional(oneOf(['always', 'never'])),
  variables: Type.Array(
    closed({
      name: Type.String({ pattern: '^[A-Za-z_][A-Za-z0-9_]{0,254}$' }),
      origin: oneOf(['given', 'env-file', 'environment', 'default', 'generated', 'asked', 'passed']),
      value: Type.Optional(Type.String({ maxLength: 128 * 1024 })),
      hmac: Type.Optional(Digest),
    }),
    { maxItems: 1000 },
  ),
  startedAt: orNull(Instant),
  result: orNull(Result),
  refusal: orNull(closed({ code: oneOf(Object.keys(ERRORS)), message: Text })),
  interruption: Type.Optional(InterruptionRecord),
});

export const Report = Type.Object(
  {
    record: Record,
    document: Type.Union([Type.String(), Type.Null()], {
      description: 'Text of the document up to its history; null where it does not come along',
    }),
  },
  { additionalProperties: false, title: 'Report' },
);

export const Reported = Type.Object(
  {
    run_id: Type.String(),
    attested: Type.Object({
      by: Type.String(),
      issuer: Type.Union([Type.String(), Type.Null()]),
      at: Type.String(),
      host: Type.String(),
    }),
  },
  { title: 'Reported' },
);
