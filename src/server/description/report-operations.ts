/** What the description says of reports of runs that took place elsewhere. */
import { Report } from '../schemas/record.ts';
import type { Described } from './operations.ts';

const ID = '01KFNZ5V1QKR4T8ZJ6W3X9Y2AB';
const TIME = '2026-01-23T14:33:02.123Z';

export const REPORT_OPERATIONS: Readonly<Record<string, Described>> = {
  'POST /api/runs': {
    id: 'reportRun',
    tag: 'runs',
    summary: 'Report a run that took place elsewhere',
    description:
      'For `runbook execute --report-to`. The record is entered into the ledger as attested by the caller, whose own it has to be where it has a subject; nothing more becomes of it here. Only of a run that has ended.',
    body: {
      description: 'The record, as the ledger there has it, without its place in that chain',
      required: true,
      content: { 'application/json': { schema: Report, example: { record: exampleRecord(), document: null } } },
    },
    answers: {
      201: {
        description: 'It is entered',
        headers: { Location: { description: 'The run', required: true, schema: { type: 'string' } } },
        example: { run_id: ID, attested: { by: 'anna', issuer: 'dev-idp', at: TIME, host: '192.0.2.7' } },
      },
      200: {
        description: 'The same record was there already',
        headers: { Location: { description: 'The run', required: true, schema: { type: 'string' } } },
        example: { run_id: ID, attested: { by: 'anna', issuer: 'dev-idp', at: TIME, host: '192.0.2.7' } },
      },
    },
    problems: [409, 507],
  },
};

function exampleRecord(): Readonly<Record<string, unknown>> {
  const digest = 'ab'.repeat(32);
  return {
    schemaVersion: 1,
    runId: ID,
    operation: 'execute',
    state: 'refused',
    enqueuedAt: TIME,
    runbook: { name: 'DrainNode', digest, path: '/srv/runbooks/DrainNode.md' },
    who: {
      subject: 'anna',
      roles: ['sre'],
      issuer: 'dev-idp',
      keyId: null,
      tokenId: null,
      selfMade: false,
      osUser: 'anna',
      host: 'laptop-7',
      address: null,
    },
    source: 'cli',
    toolVersion: '0.1.0',
    containment: null,
    correlationId: 'c-1',
    callChain: [],
    incident: null,
    rehearsal: false,
    historyMode: 'ledger',
    variables: [],
    startedAt: null,
    result: null,
    refusal: { code: 'forbidden', message: 'Claims are missing: roles.' },
  };
}
