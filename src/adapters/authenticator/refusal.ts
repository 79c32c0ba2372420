/**
 * The two ways in which this adapter says no. Sentences never carry text of the token: they reach logs and terminals,
 * and an error of the token library carries the payload, so it is never kept as `cause` either.
 */
import { RunbookError } from '../../core/errors.ts';

const NEW_TOKEN = 'Get a new token from your identity provider.';

/** What is wrong with a token, for faces with words of their own: a claim stands behind the first four. */
export type TokenFault =
  | `missing ${string}`
  | `wrong ${string}`
  | `early ${string}`
  | `old ${string}`
  | 'form'
  | 'header'
  | 'header padding'
  | 'payload'
  | 'payload padding'
  | 'algorithm'
  | 'signature'
  | 'expired';

export function refused(message: string, fix: string = NEW_TOKEN, fault?: TokenFault): RunbookError {
  return new RunbookError('unauthenticated', message, { fix, ...(fault === undefined ? {} : { reason: fault }) });
}

/** Where only a new token helps. */
export function faulty(fault: TokenFault, message: string): RunbookError {
  return refused(message, NEW_TOKEN, fault);
}

export function wrongSetting(message: string, fix: string, cause?: unknown): RunbookError {
  return new RunbookError('settings', message, { fix, cause });
}

/** A text of the operator's (issuer, file name) as messages show it: quoted, on one line. */
export function quoted(text: string | null): string {
  return text === null ? '(tokens without iss)' : JSON.stringify(text);
}
