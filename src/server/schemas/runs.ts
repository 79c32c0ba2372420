/** The shapes of runs. Their records are those of `runbook history --json` (schemas/history.schema.json). */
import { Type } from 'typebox';

export const RunId = Type.Object({
  id: Type.String({ description: 'Id of a run', pattern: '^[0-9A-Za-z]{1,64}$' }),
});

const Record = Type.Unsafe<object>({
  title: 'RunRecord',
  type: 'object',
  description: 'As `runbook history --json` has it (schemas/history.schema.json)',
  required: ['runId', 'state', 'runbook', 'who', 'enqueuedAt'],
});

const Cancel = Type.Object(
  {
    operationId: Type.String(),
    at: Type.String(),
    who: Type.Unsafe<object>({ type: 'object' }),
    reason: Type.Union([Type.String(), Type.Null()]),
  },
  { title: 'Cancel' },
);

export const Run = Type.Object(
  {
    run: Record,
    cancels: Type.Array(Cancel),
    under_way: Type.Union([Type.Unsafe<object>({ title: 'UnderWay', type: 'object' }), Type.Null()]),
  },
  { title: 'Run' },
);

export const RunList = Type.Object(
  { runs: Type.Array(Record), next: Type.Union([Type.String(), Type.Null()]) },
  { title: 'RunList' },
);

export const ArtifactList = Type.Object(
  { artifacts: Type.Array(Type.Unsafe<object>({ title: 'Artifact', type: 'object' })) },
  { title: 'ArtifactList' },
);
