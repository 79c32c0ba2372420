/** `Authorization: Bearer <token>` (RFC 6750), as narrow as Stage0 reads it, and with its texts. */
import { HttpError } from './problem.ts';

const FIX = 'Send “Authorization: Bearer TOKEN”.';

/** @throws HttpError 401 */
export function tokenOf(header: string | undefined): string {
  // The parser takes blanks off the end of a header, so that `Bearer ` comes as `Bearer`.
  const given = header === 'Bearer' ? 'Bearer ' : header;
  if (given === undefined || !given.startsWith('Bearer ')) {
    throw new HttpError(401, 'unauthenticated', 'The request has no token.', {
      fix: FIX,
      stage0: 'Missing or invalid Authorization header',
    });
  }
  const token = given.slice('Bearer '.length).trim();
  if (token === '') {
    throw new HttpError(401, 'unauthenticated', 'The token of the request is empty.', {
      fix: FIX,
      stage0: 'Empty token in Authorization header',
    });
  }
  return token;
}
