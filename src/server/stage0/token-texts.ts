/** Why a token is refused, in the words of the library that Stage0 verifies with. Ours are in `detail`. */

const TEXTS: Readonly<Record<string, string>> = {
  form: 'Not enough segments',
  header: 'Invalid header string: must be a json object',
  'header padding': 'Invalid header padding',
  'payload padding': 'Invalid payload padding',
  payload: 'Invalid payload string: must be a json object',
  signature: 'Signature verification failed',
  algorithm: 'The specified alg value is not allowed',
  'missing aud': 'Token is missing the "aud" claim',
  'missing iss': 'Token is missing the "iss" claim',
  'wrong aud': 'Invalid audience',
  'wrong iss': 'Invalid issuer',
  'missing iat': 'Token is missing the "iat" claim',
  'old iat': 'The token is too old (iat)',
  'early nbf': 'The token is not yet valid (nbf)',
  'early iat': 'The token is not yet valid (iat)',
  'wrong exp': 'Expiration Time claim (exp) must be an integer.',
};

/** @param fault of the refusal  @param message ours, for what Stage0 has no words for, or accepts */
export function tokenText(fault: string | null, message: string): string {
  return fault === 'expired' ? 'Token has expired' : `Invalid token: ${TEXTS[fault ?? ''] ?? message}`;
}
