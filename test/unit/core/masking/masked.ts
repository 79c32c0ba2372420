import { expect } from 'vitest';
import { createMasker } from '../../../../src/core/masking/masker.ts';

/** What comes out of a stream, in latin1. */
export function masked(secrets: readonly (string | Uint8Array)[], text: string | Uint8Array): string {
  const masker = createMasker();
  for (const secret of secrets) expect(masker.add(secret)).toBe('masked');
  const stream = masker.stream();
  return Buffer.concat([stream.write(Buffer.from(text)), stream.end()]).toString('latin1');
}
