/** What is done to runs or to the record, besides executing a runbook: put together here, so that each says who, when and why. */
import { RunbookError } from '../core/errors.ts';
import { createMasker } from '../core/masking/masker.ts';
import type { Identity, Operation, Pause } from '../core/ports.ts';
import { looksSecret } from '../core/runbook.ts';
import { passwordsOf, withoutPasswords } from '../core/url-passwords.ts';
import type { EnginePorts } from './ports.ts';

export type OperationPorts = Pick<
  EnginePorts,
  'ledger' | 'runIds' | 'clock' | 'osUser' | 'owners' | 'toolVersion' | 'ownSecrets' | 'callerEnvironment'
>;

/** Of a token. */
export type Caller = Pick<Identity, 'subject' | 'issuer'>;

/** Characters. It stands in messages, in every record that it is the reason of, and in the chain for ever. */
const MAX_REASON_LENGTH = 500;

/**
 * An operation as the ledger takes it. The reason becomes one line, without the tool's own secrets, without what the
 * environment of the caller holds under a name that looks like one, and without passwords in addresses.
 * @param reason null: none was given
 * @param by of the token that somebody asked with; null: whoever the process belongs to did it
 * @throws RunbookError `usage` for one that is empty or too long
 */
export function operationOf(
  ports: Omit<OperationPorts, 'ledger'>,
  operation: Operation['operation'],
  reason: string | null,
  about: Pick<Operation, 'run' | 'answer' | 'pruned'> = {},
  by: Caller | null = null,
): Operation {
  return {
    schemaVersion: 1,
    operationId: ports.runIds.next(),
    operation,
    at: ports.clock.now().toISOString(),
    who: {
      osUser: ports.osUser,
      host: ports.owners.current.host,
      ...(by === null ? {} : { subject: by.subject, issuer: by.issuer }),
    },
    toolVersion: ports.toolVersion,
    reason: reason === null ? null : oneLine(ports, reason),
    ...about,
  };
}

/** Nothing begins from now on; what is under way goes on. @returns the pause that was there already. @throws RunbookError `usage` */
export async function pauseRuns(
  ports: OperationPorts,
  reason: string,
  by: Caller | null = null,
): Promise<{ readonly paused: Pause; readonly before: Pause | null }> {
  const operation = operationOf(ports, 'pause', reason, {}, by);
  const before = await ports.ledger.paused();
  await ports.ledger.pause(operation);
  // Somebody may have let them go on by now.
  const paused = (await ports.ledger.paused()) ?? { since: operation.at, by: null, reason: operation.reason };
  return { paused, before };
}

/** @returns the pause that is over; null where there was none */
export async function resumeRuns(ports: OperationPorts, by: Caller | null = null): Promise<Pause | null> {
  const before = await ports.ledger.paused();
  return (await ports.ledger.resume(operationOf(ports, 'resume', null, {}, by))) ? before : null;
}

function oneLine(
  { ownSecrets, callerEnvironment }: Pick<OperationPorts, 'ownSecrets' | 'callerEnvironment'>,
  text: string,
): string {
  const masker = createMasker(ownSecrets.known);
  for (const [name, value] of callerEnvironment) if (looksSecret(name)) masker.add(value);
  for (const password of passwordsOf(text)) masker.add(password);
  const reason = withoutPasswords(masker.text(text)).replaceAll(/\s+/g, ' ').trim();
  if (reason === '')
    throw new RunbookError('usage', 'The reason is empty.', { fix: 'Say in a few words why; others will read it.' });
  if (reason.length > MAX_REASON_LENGTH)
    throw new RunbookError('usage', `The reason has more than ${MAX_REASON_LENGTH} characters.`, {
      fix: 'Say it shorter, and name where more is to be read.',
    });
  return reason;
}
