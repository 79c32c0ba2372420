/** What the description says of runs. */
import type { Answer, Parameter } from './openapi.ts';
import type { Described } from './operations.ts';

const LAST_EVENT_ID: Parameter = {
  name: 'Last-Event-ID',
  in: 'header',
  description: 'Id of the last event that the caller has: what comes behind it is told',
  schema: { type: 'string' },
};
const EVENTS: Pick<Answer, 'description'> & { readonly type: string; readonly schema: { readonly type: 'string' } } = {
  description: 'Events, each with one line of JSON',
  type: 'text/event-stream',
  schema: { type: 'string' },
};
const RUN = {
  runId: '01M82P42SYNHSWG51AF8XZRJRS',
  state: 'finished',
  enqueuedAt: '2026-11-22T22:30:41.215Z',
  runbook: { name: 'CreatePackage', digest: null, path: null },
  who: { subject: 'anna', roles: ['sre'] },
};

export const RUN_OPERATIONS: Readonly<Record<string, Described>> = {
  'GET /api/runs': {
    id: 'listRuns',
    tag: 'runs',
    summary: 'Runs, newest first',
    description:
      'Those that the caller may know of: their own, and those of runbooks that they may execute or read. The filters are those of `runbook history`.',
    answers: { 200: { description: 'A page of runs', example: { runs: [RUN], next: 'k3' } } },
    problems: [400, 503, 507],
  },
  'GET /api/runs/:id': {
    id: 'showRun',
    tag: 'runs',
    summary: 'One run',
    description: 'Its record, who wanted it to end, and where it is while it goes on.',
    answers: { 200: { description: 'The run', example: { run: RUN, cancels: [], under_way: null } } },
    problems: [400, 404, 503, 507],
  },
  'GET /api/runs/:id/output': {
    id: 'runOutput',
    tag: 'runs',
    summary: 'What a run has printed',
    description: 'As far as it is kept; a line says where something is not.',
    answers: { 200: { description: 'The output', type: 'text/plain', schema: { type: 'string' }, example: 'hello\n' } },
    problems: [400, 404, 503, 507],
  },
  'GET /api/runs/:id/artifacts': {
    id: 'listArtifacts',
    tag: 'runs',
    summary: 'Files that a run has kept',
    description: 'What its runbook declares as `Output`.',
    answers: { 200: { description: 'The files', example: { artifacts: [] } } },
    problems: [400, 404, 503, 507],
  },
  'GET /api/runs/:id/artifact': {
    id: 'artifact',
    tag: 'runs',
    summary: 'One of these files',
    description: 'As it was kept, byte for byte.',
    answers: { 200: { description: 'The file', type: 'application/octet-stream', schema: { type: 'string' } } },
    problems: [400, 404, 503, 507],
  },
  'GET /api/runs/:id/events': {
    id: 'runEvents',
    tag: 'runs',
    summary: 'A run as it goes on, to its end',
    description:
      '`queued`, `started`, `step`, `stdout`, `stderr`, `gap`, `notice`, and at the end `finished`, `interrupted` or `refused`. Every event has an id from which it can be resumed, also after the end and after a restart of the server. A reader who is more than 1 MiB behind gets `lagged`, and resumes.',
    parameters: [LAST_EVENT_ID],
    answers: { 200: EVENTS, 204: { description: 'The caller has all of it', schema: null } },
    problems: [400, 404, 429, 503, 507],
  },
  'GET /api/runs/events': {
    id: 'allEvents',
    tag: 'runs',
    summary: 'What all runs come to',
    description: 'An event `run` for each change, of the runs that the caller may know of.',
    parameters: [LAST_EVENT_ID],
    answers: { 200: EVENTS },
    problems: [400, 429, 503, 507],
  },
};
