/** Whoever changes one bit of a token, anywhere, holds no token. */
import * as fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { createJwtAuthenticator } from '../../../../src/adapters/authenticator/jwt.ts';
import { expectRefusal, failureOf } from '../../../helpers/refusals.ts';
import { SETUPS, removeSetups } from '../../../helpers/token-setups.ts';
import { NOW, part, token } from '../../../helpers/tokens.ts';
import { times } from '../../../helpers/property.ts';

/** Of each setup. */
const TOKENS = times(1, 29);
/** No bit is left out by all setups: each begins with another one, and each place of a bit in its byte comes. */
const STEP = times(3, 1);

let mutations = 0;

afterAll(() => {
  removeSetups();
  process.stdout.write(`mutations: ${mutations} refused of ${mutations}\n`);
});

const payloads = fc.record({
  sub: fc.stringMatching(/^[a-z]{1,12}$/),
  roles: fc.array(fc.constantFrom('sre', 'dba', 'developer'), { maxLength: 3 }),
  team: fc.string({ maxLength: 20 }),
  jti: fc.uuid(),
});

describe.each(SETUPS)('$name', (setup) => {
  const { alg, key, issuer } = setup;
  // Each setup begins at another bit, so that together they change all of them.
  const first = SETUPS.indexOf(setup) % STEP;
  const authenticator = createJwtAuthenticator([issuer], { now: () => NOW });

  async function expectRefused(mutant: string): Promise<void> {
    expectRefusal(await failureOf(() => authenticator.authenticate(mutant)), 'unauthenticated');
    mutations++;
  }

  test('every bit of header, payload and signature', async () => {
    await fc.assert(
      fc.asyncProperty(payloads, async (payload) => {
        const made = token(alg, key, payload, { kid: 'key-1' });
        await expect(authenticator.authenticate(made)).resolves.toMatchObject({ subject: payload.sub });
        const parts = made.split('.');
        for (const [index, text] of parts.entries()) {
          const bytes = Buffer.from(text, 'base64url');
          for (let bit = first; bit < bytes.length * 8; bit += STEP) {
            const mutant = Buffer.from(bytes);
            mutant[bit >> 3] = (mutant[bit >> 3] ?? 0) ^ (1 << (bit & 7));
            await expectRefused(parts.with(index, part(mutant)).join('.'));
          }
        }
      }),
      { numRuns: TOKENS, endOnFailure: true },
    );
  });

  test('every bit of the text', async () => {
    const made = Buffer.from(token(alg, key));
    for (let bit = first; bit < made.length * 8; bit += STEP) {
      const mutant = Buffer.from(made);
      mutant[bit >> 3] = (mutant[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      await expectRefused(mutant.toString('latin1'));
    }
    expect(mutations).toBeGreaterThan((made.length * 8) / STEP);
  });
});
