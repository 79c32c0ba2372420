/** Of the description: what is done to runs, and to the server as a whole. */
import { ConfirmBody, PauseBody } from '../schemas/actions.ts';
import type { Operation } from './openapi.ts';
import type { Described } from './operations.ts';

const RUN = '01KB2Z4Q8W9X7V6T5S4R3Q2P1N';
const body = (
  description: string,
  schema: object,
  example: unknown,
  required = true,
): NonNullable<Operation['requestBody']> => ({
  description,
  required,
  content: { 'application/json': { schema, example } },
});

const CANCEL_WISH = {
  title: 'CancelWish',
  type: ['object', 'null'],
  properties: { reason: { type: ['string', 'null'], description: 'One line; it is recorded with the end of the run' } },
  additionalProperties: false,
};
const PAUSE = { since: '2026-01-23T14:33:02.123Z', by: 'anna', reason: 'the move of the database' };

export const RUN_ACTIONS: Readonly<Record<string, Described>> = {
  'POST /api/runs/:id/cancel': {
    id: 'cancelRun',
    tag: 'runs',
    summary: 'End a run',
    description:
      'Of any process under the same ledger: its owner is asked, and ends it. Who asked, and why, is recorded. For whoever started it, whoever may execute its runbook, and administrators; to who may not see the run it is not there.',
    body: body('Why. May be left out.', CANCEL_WISH, { reason: 'the wrong host' }, false),
    answers: { 202: { description: 'It was asked to end', example: { run_id: RUN, state: 'started' } } },
    problems: [404, 409, 507],
  },
  'POST /api/runs/:id/confirm': {
    id: 'confirmStep',
    tag: 'runs',
    summary: 'Answer a question of a run',
    description:
      'Of one that was executed with `confirm=ask` on this server. Of several answers the first counts; it is recorded with who gave it before the run goes on. What is to be typed is compared without the blanks around it; what is wrong for the third time is a no.',
    body: body('The answer', ConfirmBody, { step: 2, answer: 'yes' }),
    answers: { 200: { description: 'It is recorded', example: { run_id: RUN, step: 2, answer: 'yes' } } },
    problems: [404, 409, 507],
  },
  'POST /api/admin/pause': {
    id: 'pauseRuns',
    tag: 'server',
    summary: 'Let no run begin',
    description: 'Under this ledger, wherever it is asked for, until somebody resumes. What runs goes on.',
    body: body('Why', PauseBody, { reason: 'the move of the database' }),
    answers: { 200: { description: 'Runs are paused', example: { paused: PAUSE } } },
    problems: [507],
  },
  'POST /api/admin/resume': {
    id: 'resumeRuns',
    tag: 'server',
    summary: 'Let runs begin again',
    description: 'Also where nothing is paused; then nothing is recorded.',
    answers: { 200: { description: 'Runs begin', example: { paused: null } } },
    problems: [400, 413, 415, 507],
  },
};
