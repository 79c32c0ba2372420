/** Whether a text may sign tokens: who can guess it is everybody. */
import { wrongSetting } from './refusal.ts';

const MIN_SECRET_BYTES = 32;
/** A random text of that length has more; a word repeated until it is long enough has not. */
const MIN_DISTINCT_BYTES = 8;
/** Placeholders of products, tutorials and debuggers, compared without case and punctuation. */
const PLACEHOLDERS = [
  'devsecret',
  'changeme',
  'changethis',
  'replaceme',
  'yoursecret',
  'your256bitsecret',
  'your384bitsecret',
  'your512bitsecret',
  'astringsecretatleast256bitslong',
  'supersecret',
  'mysecret',
  'secretkey',
] as const;

const MAKE_ONE = 'Make one with `openssl rand -hex 32`.';

/**
 * @param name of the setting or file, for the message
 * @param anyStrength where tokens are given to whoever asks anyway
 * @throws RunbookError `settings`
 */
export function checkSecret(secret: Uint8Array, name: string, anyStrength = false): void {
  const text = Buffer.from(secret).toString('latin1');
  // HMAC with a published key: everybody could sign.
  if (text.includes('-----BEGIN ')) {
    throw wrongSetting(
      `${name} holds a PEM key, not a shared secret.`,
      'Set RUNBOOK_JWT_PUBLIC_KEY_FILE for it instead.',
    );
  }
  if (anyStrength && secret.length > 0) return;
  const letters = text.toLowerCase().replaceAll(/[^a-z0-9]/gu, '');
  if (letters === 'secret' || PLACEHOLDERS.some((placeholder) => letters.includes(placeholder))) {
    throw wrongSetting(`${name} is a well-known placeholder.`, MAKE_ONE);
  }
  if (secret.length < MIN_SECRET_BYTES) {
    throw wrongSetting(`${name} is shorter than ${MIN_SECRET_BYTES} bytes.`, MAKE_ONE);
  }
  if (new Set(secret).size < MIN_DISTINCT_BYTES) throw wrongSetting(`${name} repeats itself.`, MAKE_ONE);
}
