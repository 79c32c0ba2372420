/** What the description says of each route, besides what follows from the route itself. */
import { REPORT_OPERATIONS } from './report-operations.ts';
import type { Answer, MediaType, Operation, Parameter, Schema } from './openapi.ts';
import {
  ENV_VARS_BODY,
  EXECUTE_ANSWER,
  EXECUTE_PARAMETERS,
  QUEUED_ANSWER,
  fileAnswers,
  LOGIN_BODY,
  METRICS_PARAMETERS,
} from './parts.ts';
import { RUN_ACTIONS } from './run-actions.ts';
import { RUN_OPERATIONS } from './run-operations.ts';

export interface Described {
  /** `operationId` */
  readonly id: string;
  readonly tag: string;
  readonly summary: string;
  readonly description: string;
  readonly parameters?: readonly Parameter[];
  readonly body?: NonNullable<Operation['requestBody']>;
  /** By status. `schema`: where the route itself has none; `type`: other than `application/json`. */
  readonly answers: Readonly<
    Record<
      string,
      Pick<Answer, 'description' | 'headers'> & {
        readonly schema?: Schema | null;
        readonly example?: unknown;
        readonly type?: string | readonly string[];
        /** Other media types that it may have. */
        readonly more?: Readonly<Record<string, MediaType>>;
      }
    >
  >;
  /** Statuses of refusals that do not follow from who may use the route, and from what it takes. */
  readonly problems: readonly number[];
}

export const TAGS = [
  { name: 'runbooks', description: 'What there is, what it says, what it needs; checking and executing it' },
  { name: 'runs', description: 'What runs, and what has run; ending runs, and answering their questions' },
  { name: 'login', description: 'Where to get a token; one for development only where `ENABLE_LOGIN` is on' },
  { name: 'server', description: 'How the server is set up, whether it lives, what it counts' },
  { name: 'description', description: 'This description, and the page to try it' },
] as const;

export const DESCRIPTION = `Executes operational procedures that are written in markdown: claims checked, contained, recorded.

Every refusal is a problem document (RFC 9457) that also has Stage0's \`success\` and \`error\`. HEAD works wherever GET does.
Another method is answered with 405 and \`Allow\`, another address with 404, both as problem documents. \`X-Correlation-Id\`
is taken over from the request where it is of the form \`^[A-Za-z0-9._-]{1,64}$\`, and is in every answer.
\`POST /dev-login\` is described only where it is there.`;

const NAMED = [404, 422, 507];

export const OPERATIONS: Readonly<Record<string, Described>> = {
  'GET /api/runbooks': {
    id: 'listRunbooks',
    tag: 'runbooks',
    summary: 'All runbooks',
    description: 'In the order of their file names. Documents without a title are left out.',
    answers: {
      200: {
        description: 'The runbooks',
        example: {
          success: true,
          runbooks: [{ filename: 'SimpleRunbook.md', name: 'SimpleRunbook', path: 'SimpleRunbook.md' }],
        },
      },
    },
    problems: [400, 404, 503, 507],
  },
  'GET /api/runbooks/:name': {
    id: 'showRunbook',
    tag: 'runbooks',
    summary: 'One runbook',
    description:
      'Its text. Whoever may not execute it gets it without the entries of its history; entries that could not be written into the file are in it, too.',
    answers: {
      200: {
        description: 'The runbook',
        example: {
          success: true,
          filename: 'SimpleRunbook.md',
          name: 'SimpleRunbook',
          content: '# SimpleRunbook\n\nSays hello.\n…\n# History\n',
        },
      },
    },
    problems: NAMED,
  },
  'GET /api/runbooks/:name/required-env': {
    id: 'requiredEnvironment',
    tag: 'runbooks',
    summary: 'The variables that a runbook needs',
    description:
      'All that it declares; of these the ones that the server has a value for, and those that a caller has to give.',
    answers: {
      200: {
        description: 'The variables',
        example: {
          success: true,
          filename: 'SimpleRunbook.md',
          required: [{ name: 'HOST', description: 'Where to' }],
          available: [],
          missing: [{ name: 'HOST', description: 'Where to' }],
        },
      },
    },
    problems: NAMED,
  },
  'PATCH /api/runbooks/:name/validate': {
    id: 'validateRunbook',
    tag: 'runbooks',
    summary: 'Whether a runbook is sound, and what it needs is there',
    description: 'The checks of an execution; nothing is run.',
    body: ENV_VARS_BODY,
    answers: {
      200: {
        description: 'It could be executed',
        example: { success: true, runbook: 'SimpleRunbook.md', errors: [], warnings: [], problems: [] },
      },
      400: {
        description: 'It could not',
        example: {
          success: false,
          runbook: 'SimpleRunbook.md',
          errors: ['Required environment variable not set: HOST (Where to).'],
          warnings: [],
          problems: [
            {
              severity: 'error',
              rule: 'variable-missing',
              message: 'Required environment variable not set: HOST (Where to).',
              fix: 'Give it in `env_vars`.',
              line: 7,
              column: 1,
            },
          ],
        },
      },
    },
    problems: NAMED,
  },
  'POST /api/runbooks/:name/execute': {
    id: 'executeRunbook',
    tag: 'runbooks',
    summary: 'Execute a runbook; its output comes as events',
    description:
      'The answer begins when the run does, and ends when its end is recorded. A caller who leaves does not end the run. Refusals that need the claims of the runbook are told in the stream, with `return_code` 1, as in Stage0.',
    parameters: EXECUTE_PARAMETERS,
    body: ENV_VARS_BODY,
    answers: { 200: EXECUTE_ANSWER, 202: QUEUED_ANSWER },
    problems: [...NAMED, 409],
  },
  ...RUN_ACTIONS,
  ...RUN_OPERATIONS,
  ...REPORT_OPERATIONS,
  'GET /api/config': {
    id: 'showConfig',
    tag: 'server',
    summary: 'Settings, and who asks',
    description: 'Stage0’s list; for administrators also every setting with its origin. No secret is in it.',
    answers: {
      200: {
        description: 'The settings',
        example: {
          config_items: [{ name: 'API_PORT', value: '8083', from: 'default' }],
          token: { user_id: 'anna', roles: ['sre'], remote_ip: '127.0.0.1', claims: { sub: 'anna' } },
        },
      },
    },
    problems: [],
  },
  'GET /login': {
    id: 'loginOffer',
    tag: 'login',
    summary: 'How to get a token',
    description: 'For `runbook login`, which has none yet.',
    answers: {
      200: {
        description: 'The issuer to ask, or that this server gives tokens for development, or null',
        example: { login: { issuer: 'https://sso.example.com', clientId: 'runbook', scope: 'openid' } },
      },
    },
    problems: [],
  },
  'POST /dev-login': {
    id: 'devLogin',
    tag: 'login',
    summary: 'A token for development',
    description: 'For whoever asks, with the roles that were asked for. There only with `ENABLE_LOGIN=true`.',
    body: LOGIN_BODY,
    answers: {
      200: {
        description: 'The token',
        example: {
          access_token: 'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.e30.c2lnbmF0dXJl',
          token_type: 'bearer',
          expires_at: '2026-01-23T14:33:02.000000+00:00',
          subject: 'anna',
          roles: ['sre'],
        },
      },
    },
    problems: [],
  },
  'POST /api/shutdown': {
    id: 'shutdown',
    tag: 'server',
    summary: 'Gone',
    description: 'A server is ended by SIGTERM.',
    answers: {},
    problems: [410, 413, 415, 400],
  },
  'GET /healthz': {
    id: 'health',
    tag: 'server',
    summary: 'Whether the server lives',
    description: 'For whoever would start it anew where it does not.',
    answers: { 200: { description: 'It does', example: { status: 'ok' } } },
    problems: [],
  },
  'GET /readyz': {
    id: 'readiness',
    tag: 'server',
    summary: 'Whether the server can take work',
    description: 'For load balancers. Looked at once a second at most.',
    answers: {
      200: {
        description: 'It can',
        example: { ready: true, checks: [{ name: 'ledger', ok: true, detail: 'can be written' }] },
      },
      503: {
        description: 'It cannot',
        example: { ready: false, checks: [{ name: 'accepting', ok: false, detail: 'the server is about to end' }] },
      },
    },
    problems: [],
  },
  'GET /metrics': {
    id: 'metrics',
    tag: 'server',
    summary: 'For Prometheus',
    description:
      'Text format 0.0.4. Where `METRICS_TOKEN` is set only for whoever sends it as `Authorization: Bearer …`; no other token counts.',
    parameters: METRICS_PARAMETERS,
    answers: {
      200: {
        description: 'The metrics',
        type: 'text/plain',
        schema: { type: 'string' },
        example: 'runbook_runs_total{runbook="SimpleRunbook.md",outcome="succeeded"} 1\n',
      },
    },
    problems: [401],
  },
  'GET /docs/openapi.yaml': {
    id: 'description',
    tag: 'description',
    summary: 'This description',
    description: 'OpenAPI 3.1, made from the routes of this server.',
    answers: fileAnswers(['application/yaml'], false),
    problems: [],
  },
  'GET /docs/:file': {
    id: 'explorer',
    tag: 'description',
    summary: 'The page to try the API, and its parts',
    description: 'Begin with `explorer.html`.',
    answers: fileAnswers(['text/html', 'application/javascript', 'text/css'], true),
    problems: [404, 416],
  },
};
