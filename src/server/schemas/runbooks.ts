/** The shapes of what goes over the wire. Stage0's members keep Stage0's names. */
import { Type } from 'typebox';

export const Name = Type.Object({
  name: Type.String({ description: 'File name of the runbook, like `SimpleRunbook.md`' }),
});

export const Problem = Type.Object(
  {
    type: Type.String(),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String({ description: 'What is wrong, one sentence' }),
    code: Type.String(),
    fix: Type.String({ description: 'What to do, one sentence' }),
    success: Type.Literal(false),
    error: Type.String({ description: 'As Stage0 words it' }),
    problems: Type.Optional(
      Type.Array(
        Type.Object({ rule: Type.String(), message: Type.String(), fix: Type.String(), line: Type.Integer() }),
      ),
    ),
  },
  { title: 'Problem', description: 'A problem document (RFC 9457)' },
);

const Last = Type.Object(
  {
    run_id: Type.String(),
    state: Type.String(),
    outcome: Type.Union([Type.String(), Type.Null()]),
    finished_at: Type.Union([Type.String(), Type.Null()]),
  },
  { title: 'LastRun' },
);

export const RunbookList = Type.Object(
  {
    success: Type.Literal(true),
    runbooks: Type.Array(
      Type.Object({
        filename: Type.String(),
        name: Type.String(),
        path: Type.String(),
        last: Type.Optional(Type.Union([Last, Type.Null()])),
      }),
    ),
  },
  { title: 'RunbookList' },
);

export const RunbookContent = Type.Object(
  {
    success: Type.Literal(true),
    filename: Type.String(),
    name: Type.String(),
    content: Type.String(),
  },
  { title: 'RunbookContent' },
);

const Variables = Type.Array(Type.Object({ name: Type.String(), description: Type.String() }));
export const EnvironmentVariables = Type.Object(
  {
    success: Type.Literal(true),
    filename: Type.String(),
    required: Variables,
    available: Variables,
    missing: Variables,
  },
  { title: 'EnvironmentVariables' },
);

export const EnvVarsBody = Type.Unknown({
  description: '`{"env_vars": {"NAME": "value"}}`; numbers, true, false and null become text',
});

export const Queued = Type.Object(
  { run_id: Type.String(), state: Type.String() },
  { title: 'RunState', description: 'Where a run stands' },
);

export const ValidationAnswer = Type.Object(
  {
    success: Type.Boolean(),
    runbook: Type.String(),
    errors: Type.Array(Type.String(), { description: 'As Stage0 words them, and in its order' }),
    warnings: Type.Array(Type.String()),
    problems: Type.Array(
      Type.Object(
        {
          severity: Type.Union([Type.Literal('error'), Type.Literal('warning')]),
          rule: Type.String(),
          message: Type.String(),
          fix: Type.String(),
          line: Type.Integer(),
          column: Type.Integer(),
          about: Type.Optional(Type.String()),
          edit: Type.Optional(
            Type.Object(
              {
                line: Type.Integer(),
                column: Type.Integer(),
                endLine: Type.Integer(),
                endColumn: Type.Integer(),
                text: Type.String(),
              },
              { title: 'Edit', description: 'What repairs it, where that is certain; columns count UTF-16 units' },
            ),
          ),
        },
        { title: 'Finding' },
      ),
      { description: 'The same, each with its place and what to do' },
    ),
  },
  { title: 'ValidationAnswer' },
);
