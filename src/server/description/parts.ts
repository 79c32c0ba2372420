/** Bodies, parameters and answers of single routes. */
import type { Operation, Parameter } from './openapi.ts';
import type { Described } from './operations.ts';

const text = { type: 'string' } as const;

export const ENV_VARS_BODY: NonNullable<Operation['requestBody']> = {
  description: 'Variables for the script. May be left out.',
  required: false,
  content: {
    'application/json': {
      schema: {
        title: 'EnvVars',
        type: ['object', 'null'],
        properties: {
          env_vars: {
            type: ['object', 'null'],
            description:
              'Numbers, true, false and null become text. Names of the contract (`RUNBOOK_…`) are passed over with a warning.',
            additionalProperties: { type: ['string', 'number', 'boolean', 'null'] },
          },
        },
      },
      example: { env_vars: { HOST: 'db-3' } },
    },
  },
};

export const LOGIN_BODY: NonNullable<Operation['requestBody']> = {
  description: 'Who the token is for. May be left out.',
  required: false,
  content: {
    'application/json': {
      schema: {
        title: 'LoginWish',
        type: ['object', 'null'],
        properties: {
          subject: { type: 'string', default: 'dev-user-1' },
          roles: { type: ['array', 'string'], items: text, default: ['developer'] },
        },
      },
      example: { subject: 'anna', roles: ['sre'] },
    },
  },
};

const query = (name: string, description: string, schema: object = text): Parameter => ({
  name,
  in: 'query',
  description,
  schema,
});
const header = (name: string, description: string, schema: object = text): Parameter => ({
  name,
  in: 'header',
  description,
  schema,
});

export const EXECUTE_PARAMETERS: readonly Parameter[] = [
  query('dry_run', '`true`: the plan, as `runbook plan --json` has it; nothing is started or recorded', {
    enum: ['true', 'false'],
  }),
  query('from', 'The step to begin with: its name, the beginning of it, or its number'),
  query('only', 'The only step'),
  query('timeout', 'Makes the run end earlier, like `90s` or `10m`'),
  query(
    'confirm',
    '`yes`: steps that ask are confirmed beforehand. `ask`: each waits until somebody answers it. Otherwise such a step is refused',
    { enum: ['yes', 'ask'] },
  ),
  header('Idempotency-Key', 'Of all requests with the same key, for a day, one run comes: all hear of it', {
    type: 'string',
    pattern: '^[!-~]{1,128}$',
  }),
  header('Prefer', '`respond-async`: the answer is the address of the run, as soon as there is one'),
  header('X-Incident-Id', 'What the run is for; it is recorded, and `runbook history --incident` finds it'),
  {
    name: 'X-Correlation-Id',
    in: 'header',
    description: 'Goes into the log, the record, the script and whatever the script calls',
    schema: { type: 'string' },
  },
  {
    name: 'X-Recursion-Stack',
    in: 'header',
    description:
      'JSON list of the runbooks that called each other to get here; scripts find it ready in `RUNBOOK_H_RECUR`',
    schema: { type: 'string' },
    example: '["ParentRunbook.md"]',
  },
  {
    name: 'traceparent',
    in: 'header',
    description: 'W3C Trace Context; the script finds it as `TRACEPARENT`',
    schema: { type: 'string' },
    example: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  },
];

const RUN_ID = { 'X-Run-Id': { description: 'The id of the run, where there is one', schema: text } } as const;

const RUN_DOCUMENT = {
  title: 'RunDocument',
  type: 'object',
  description: 'With `Accept: application/json`: the run, when it has ended, whatever it came to',
  required: ['run', 'stdout', 'stderr', 'dropped'],
  properties: {
    run: { type: 'object', description: 'As in `GET /api/runs/{id}`' },
    stdout: { type: 'string', description: 'What is kept of it; what is no UTF-8 is U+FFFD' },
    stderr: { type: 'string' },
    dropped: { type: 'integer', minimum: 0, description: 'Bytes of both that are not kept' },
    problem: { type: 'object', description: 'Only where the end of the run could not be recorded' },
  },
} as const;

const PLAN = {
  title: 'Plan',
  type: 'object',
  description: 'With `dry_run=true`: as `runbook plan --json` has it (`schemas/plan.schema.json`)',
  required: ['command'],
  properties: { command: { const: 'plan' } },
  additionalProperties: true,
} as const;

export const QUEUED_ANSWER: Described['answers'][string] = {
  description: 'With `Prefer: respond-async`: where the run can be asked for',
  headers: {
    ...RUN_ID,
    Location: { description: 'The address of the run', required: true, schema: text },
    'Preference-Applied': { description: 'Always that', required: true, schema: { const: 'respond-async' } },
  },
  example: { run_id: '01KB2Z4Q8W9X7V6T5S4R3Q2P1N', state: 'queued' },
};

export const EXECUTE_ANSWER: Described['answers'][string] = {
  description:
    'Events `stdout` and `stderr` with output as it comes, and last `done` with one line of JSON: `success`, `runbook`, `return_code`, `stdout`, `stderr`, `errors`, `warnings`. Comments (`:`) keep the connection alive.',
  type: 'text/event-stream',
  headers: {
    ...RUN_ID,
    'Cache-Control': { description: 'Nobody keeps it', required: true, schema: { enum: ['no-cache', 'no-store'] } },
  },
  more: {
    'application/json': {
      schema: { anyOf: [RUN_DOCUMENT, PLAN] },
      example: {
        run: { runId: '01KB2Z4Q8W9X7V6T5S4R3Q2P1N', state: 'finished' },
        stdout: 'hello\n',
        stderr: '',
        dropped: 0,
      },
    },
  },
  schema: { type: 'string', pattern: '^(?:(?::.*|(?:event|data|id|retry):.*)?\\n)*$' },
  example:
    'event: stdout\ndata: hello\ndata: \n\nevent: done\ndata: {"success": true, "runbook": "SimpleRunbook.md", "return_code": 0, "stdout": "hello\\n", "stderr": "", "errors": [], "warnings": []}\n\n',
};

export const METRICS_PARAMETERS: readonly Parameter[] = [
  {
    name: 'name[]',
    in: 'query',
    description: 'Only metrics of these names; may be given several times',
    schema: { type: 'array', items: text },
  },
];

/** What a file of the page is answered with. @param hasRanges whether a part of it may be asked for */
export function fileAnswers(type: readonly string[], hasRanges: boolean): Described['answers'] {
  const headers = {
    ETag: { description: 'Another one where the file is another', required: true, schema: text },
    'Last-Modified': { description: 'When it was written', required: true, schema: text },
    'Cache-Control': { description: 'To be asked for again each time', required: true, schema: { const: 'no-cache' } },
  } as const;
  const file: Described['answers'][string] = {
    description: 'The file',
    headers,
    type,
    schema: text,
  };
  return {
    200: file,
    304: { description: 'It is as it was', headers: { ETag: headers.ETag } },
    ...(hasRanges ? { 206: { ...file, description: 'The part that was asked for' } } : {}),
  };
}
