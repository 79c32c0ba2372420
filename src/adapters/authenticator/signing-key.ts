/** What this installation signs its own tokens with. */
import { listOf, secretKey } from './issuer-key.ts';
import type { AuthSettings } from './issuers.ts';
import { readKeysFile } from './keys-file.ts';
import { wrongSetting } from './refusal.ts';
import type { ListedKey } from './trusted-issuer.ts';

export interface SigningKey {
  readonly secret: Uint8Array;
  readonly algorithm: string;
  /** Goes into tokens; null where keys have no ids. */
  readonly keyId: string | null;
  /** From then on nothing that it signed counts. */
  readonly retireAt: Date | null;
}

/**
 * Of several the newest secret that counts already; of these that began together, the first in the file.
 * @throws RunbookError `settings`
 */
export function signingKey(
  { jwtSecret, anyJwtSecret, jwtAlgorithm, jwtKeysFile }: AuthSettings,
  now: Date,
): SigningKey {
  if (jwtSecret !== undefined) {
    const { secret } = secretKey(jwtSecret, 'The secret that signs tokens', anyJwtSecret);
    const [algorithm = 'HS256'] = listOf(jwtAlgorithm ?? '');
    return { secret, algorithm, keyId: null, retireAt: null };
  }
  if (jwtKeysFile === undefined) {
    throw wrongSetting(
      'There is no secret to sign with.',
      'Make one with `openssl rand -hex 32` and give it as RUNBOOK_JWT_SECRET or, better, by RUNBOOK_JWT_SECRET_FILE.',
    );
  }
  const [newest] = readKeysFile(jwtKeysFile)
    .filter(({ notBefore, retireAt }) => (notBefore ?? now) <= now && (retireAt === null || now < retireAt))
    .flatMap((key) => (key.key.kind === 'secret' ? [{ ...key, secret: key.key.secret }] : []))
    .sort((a, b) => begin(b) - begin(a));
  if (newest === undefined) {
    throw wrongSetting(`No secret of ${jwtKeysFile} counts now.`, 'Add one with `secret_file` that is not retired.');
  }
  const { secret, algorithm, kid, retireAt } = newest;
  return { secret, algorithm, keyId: kid, retireAt };
}

function begin({ notBefore }: ListedKey): number {
  return notBefore?.getTime() ?? 0;
}
