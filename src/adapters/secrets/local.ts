/** Secrets made for one run, and the key of this installation that fingerprints values in the record. */
import { createHmac, randomBytes, randomInt } from 'node:crypto';
import { linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { RunbookError } from '../../core/errors.ts';
import { codeOf, messageOf } from '../../core/failures.ts';
import type { SecretSource } from '../../core/ports.ts';
import { checkCanMake } from '../system/can-make.ts';
import { makeFolders } from '../system/make-folders.ts';

const KEY_BYTES = 32;
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/**
 * The key lies in `<stateDir>/fingerprint.key` (0600) and is made at first use.
 * @param keeps false: nothing is written; where there is no key yet, one is made up, and nothing fits its fingerprints.
 * @throws RunbookError `io`
 */
export function createLocalSecrets(stateDir: string, keeps = true): SecretSource {
  let key: Buffer | null = null;
  return {
    generate: (length) => Array.from({ length }, () => ALPHABET[randomInt(ALPHABET.length)]).join(''),
    fingerprint: (value) => {
      key ??= loadKey(stateDir, keeps);
      return createHmac('sha256', key).update(value).digest('hex');
    },
  };
}

function loadKey(stateDir: string, keeps: boolean): Buffer {
  const file = path.join(stateDir, 'fingerprint.key');
  try {
    if (keeps) makeFolders(stateDir, 0o700);
    const key = readIfThere(file) ?? (keeps ? makeKey(file) : madeUpKey(stateDir));
    if (key.length === KEY_BYTES) return key;
  } catch (error) {
    throw new RunbookError('io', `The key for fingerprints cannot be kept in ${file}: ${messageOf(error)}.`, {
      fix: 'Make the state folder writable, or name another with `--state-dir`.',
      cause: error,
    });
  }
  throw new RunbookError('io', `${file} is damaged: it does not hold 32 bytes.`, {
    fix: 'Remove it; a new key is made, and later fingerprints differ from earlier ones.',
  });
}

function readIfThere(file: string): Buffer | null {
  try {
    return readFileSync(file);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw error;
  }
}

function madeUpKey(stateDir: string): Buffer {
  checkCanMake(stateDir);
  return randomBytes(KEY_BYTES);
}

/** Written aside and linked into place: of two processes that begin at once both end up with the same whole key. */
function makeKey(file: string): Buffer {
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, randomBytes(KEY_BYTES), { mode: 0o600 });
  try {
    linkSync(draft, file);
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
  } finally {
    rmSync(draft, { force: true });
  }
  return readFileSync(file);
}
