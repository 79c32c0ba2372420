/** What is asked for with an execution besides runbook and variables: in the query, with the meanings of `runbook execute`, and in headers. */
import { isUtf8 } from 'node:buffer';
import type { FastifyRequest } from 'fastify';
import { isIncident, MAX_INCIDENT_LENGTH } from '../../core/incident.ts';
import type { StepChoice } from '../../core/run.ts';
import { parseDuration } from '../../core/units.ts';
import { HttpError } from '../problem.ts';
import { formOf } from './wants.ts';
import type { AnswerForm } from './wants.ts';

export interface Asked {
  /** Only the plan: nothing is started or recorded. */
  readonly isDry: boolean;
  readonly form: AnswerForm;
  readonly choice: StepChoice | null;
  readonly timeoutMs: number | null;
  /** `yes`: steps that ask are confirmed beforehand; `ask`: somebody answers meanwhile. Null: such a step is refused. */
  readonly confirm: 'yes' | 'ask' | null;
  readonly incident: string | null;
  /** Names the request. */
  readonly key: string | null;
}

export const MEMBERS = ['dry_run', 'from', 'only', 'timeout', 'confirm'] as const;
type Member = (typeof MEMBERS)[number];

const MAX_KEY_LENGTH = 128;
const MAX_STEP_LENGTH = 1000;

/** @throws HttpError 400 */
export function readAsked(request: Pick<FastifyRequest, 'query' | 'headers' | 'raw'>): Asked {
  const members = readMembers(request.query);
  const { from, only } = members;
  if (from !== undefined && only !== undefined) throw mistake('`from` and `only` are both given.', 'Give one of them.');
  const choice =
    from !== undefined
      ? ({ kind: 'from', step: from } as const)
      : only !== undefined
        ? ({ kind: 'only', step: only } as const)
        : null;
  if (choice !== null && (choice.step === '' || choice.step.length > MAX_STEP_LENGTH))
    throw mistake(`\`${choice.kind}\` names no step.`, 'Write the name of a step, its beginning, or its number.');
  const { accept, prefer } = request.headers;
  return {
    isDry: oneOf(members, 'dry_run', ['true', 'false']) === 'true',
    form: formOf(accept, [prefer ?? []].flat().join(',')),
    choice,
    timeoutMs: readTimeout(members.timeout),
    confirm: oneOf(members, 'confirm', ['yes', 'ask']),
    incident: readIncident(headerOf(request, 'x-incident-id')),
    key: readKey(headerOf(request, 'idempotency-key')),
  };
}

function readMembers(query: unknown): Readonly<Partial<Record<Member, string>>> {
  const members: Partial<Record<Member, string>> = {};
  for (const [name, value] of Object.entries(query ?? {})) {
    const known = MEMBERS.find((one) => one === name);
    if (known === undefined)
      throw mistake(
        `The query has a member that is not known: ${JSON.stringify(name).slice(0, 80)}.`,
        `There are ${MEMBERS.join(', ')}.`,
      );
    if (typeof value !== 'string') throw mistake(`\`${known}\` is given more than once.`, 'Give it once.');
    members[known] = value;
  }
  return members;
}

function oneOf<T extends string>(
  members: Readonly<Partial<Record<Member, string>>>,
  name: Member,
  values: readonly T[],
): T | null {
  const given = members[name];
  if (given === undefined) return null;
  const found = values.find((value) => value === given);
  if (found !== undefined) return found;
  throw mistake(`\`${name}\` is neither ${values.join(' nor ')}.`, `Write \`${name}=${values[0] ?? ''}\`.`);
}

function readTimeout(text: string | undefined): number | null {
  if (text === undefined) return null;
  const ms = parseDuration(text);
  if (ms === null) throw mistake('`timeout` is not a duration.', 'Write a number with a unit, like 90s, 10m or 1h30m.');
  return ms;
}

function readIncident(text: string | null): string | null {
  if (text === null || isIncident(text)) return text;
  throw mistake(
    `X-Incident-Id is not one line of 1 to ${MAX_INCIDENT_LENGTH} characters.`,
    'Write the id of the incident, like INC-42.',
  );
}

function readKey(text: string | null): string | null {
  if (text === null) return null;
  const isVisible = Array.from(text).every((one) => one > ' ' && one <= '~');
  if (isVisible && text !== '' && text.length <= MAX_KEY_LENGTH) return text;
  throw mistake(
    `Idempotency-Key is not 1 to ${MAX_KEY_LENGTH} visible ASCII characters.`,
    'Make a new one for each thing that is to be done once: a UUID, say.',
  );
}

/** Node reads bytes as Latin-1. @throws HttpError 400 where it is there twice: nobody can tell which one counts */
function headerOf({ raw }: Pick<FastifyRequest, 'raw'>, name: string): string | null {
  const given = raw.headersDistinct[name] ?? [];
  const [value] = given;
  if (value === undefined) return null;
  if (given.length > 1) throw mistake(`The request has more than one header “${name}”.`, 'Send it once.');
  const bytes = Buffer.from(value, 'latin1');
  return isUtf8(bytes) ? bytes.toString() : value;
}

function mistake(message: string, fix: string): HttpError {
  return new HttpError(400, 'usage', message, { fix });
}
