/** ULIDs (github.com/ulid/spec): 48 bits of time, 80 of chance, in Crockford's base 32. Later ones sort behind earlier ones. */
import { randomBytes } from 'node:crypto';
import type { Clock, RunIds } from '../../core/ports.ts';

const DIGITS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

export function createRunIds(clock: Clock): RunIds {
  return {
    next: () => {
      let value = (BigInt(clock.now().getTime()) << 80n) | BigInt(`0x${randomBytes(10).toString('hex')}`);
      let text = '';
      for (let digit = 0; digit < 26; digit += 1) {
        text = (DIGITS[Number(value & 31n)] ?? '') + text;
        value >>= 5n;
      }
      return text;
    },
  };
}
