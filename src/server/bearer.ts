/** `Authorization: Bearer <token>` (RFC 6750), as narrow as Stage0 reads it, and with its texts. */
import { HttpError } from './problem.ts';

const FIX = 'Send “Authorization: Bearer TOKEN”.';

/** @throws HttpError 401 */
export function tokenOf(header: string | undefined): string {
  if (header === undefined || !header.startsWith('Bearer ')) {
    throw new HttpError(401, 'unauthenticated', 'The request has no token.', {
      fix: FIX,
      stage0: 'Missing or invalid Authorization header',
    });
  }
  const token = header.slice('Bearer '.length).trim();
  if (token === '') {
    throw new HttpError(401, 'unauthenticated', 'The token of the request is empty.', {
      fix: FIX,
      stage0: 'Empty token in Authorization header',
    });
  }
  return token;
}
