/** One table of tokens, for every kind of key: all bad ones are refused, all good ones accepted. */
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createJwtAuthenticator } from '../../../../src/adapters/authenticator/jwt.ts';
import { expectRefusal, failureOf } from '../../../helpers/refusals.ts';
import { withHeader } from '../../../helpers/token-makers.ts';
import type { Row } from '../../../helpers/token-makers.ts';
import { NAMES, PAYLOAD, TIMES } from '../../../helpers/token-rows-claims.ts';
import { FORM, SIGNATURE, headerRows } from '../../../helpers/token-rows-form.ts';
import { GOOD } from '../../../helpers/token-rows-good.ts';
import { LISTED_SETUPS, SETUPS, removeSetups } from '../../../helpers/token-setups.ts';
import type { Setup } from '../../../helpers/token-setups.ts';
import { ISSUER, MARKER, NOW, OTHER_RSA, jwk, token } from '../../../helpers/tokens.ts';

let listenerUrl = '';
let listenerHits = 0;
const KEY_SET_ONLY: readonly Row[] = [
  'unknown',
  '../../dev/null',
  '__proto__',
  'constructor',
  "' OR 1=1 --",
  'KEY-1',
  '',
].map((kid) => [`kid ${JSON.stringify(kid)}`, withHeader({ kid })]);

const OWN_ONLY: readonly Row[] = [
  ['type of a partner token', withHeader({ typ: 'rb-partner+jwt' })],
  ['type of an approval', withHeader({ typ: 'application/rb-approval+jwt' })],
  ['empty type', withHeader({ typ: '' })],
];

const always = (): boolean => true;
const HEADER = headerRows(() => listenerUrl);

/** A row that is refused for another reason than its own would prove nothing. */
const SECTIONS = [
  { name: 'form', rows: FORM, reason: /form of a JWT|not canonical|not signed|longer than/, applies: always },
  { name: 'signature', rows: SIGNATURE, reason: /signature does not hold|not signed|form of a JWT/, applies: always },
  { name: 'header', rows: HEADER, reason: /header|\("(?:kid|typ|alg)"\)|not signed with|longer than/, applies: always },
  { name: 'times', rows: TIMES, reason: /"(?:exp|nbf|iat)"|expired|payload is not JSON/, applies: always },
  { name: 'names', rows: NAMES, reason: /"(?:iss|aud|sub|jti|roles)"|issuer of the token/, applies: always },
  { name: 'payload', rows: PAYLOAD, reason: /payload/, applies: always },
  {
    name: 'key set',
    rows: KEY_SET_ONLY,
    reason: /key id|no key that fits|no key here with the id/,
    applies: ({ keySet }: Setup) => keySet,
  },
  { name: 'own', rows: OWN_ONLY, reason: /not made for signing in/, applies: ({ issuer }: Setup) => issuer.own },
] as const;

let listener: Server;
const counts = { refused: 0, accepted: 0 };

beforeAll(async () => {
  listener = createServer((_request, response) => {
    listenerHits++;
    response.end(JSON.stringify({ keys: [jwk(OTHER_RSA.publicKey, { kid: 'evil' })] }));
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const address = listener.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  listenerUrl = `http://127.0.0.1:${address.port}`;
});

afterAll(async () => {
  await new Promise((resolve) => listener.close(resolve));
  removeSetups();
  process.stdout.write(`tokens: ${counts.refused} refused, ${counts.accepted} accepted\n`);
});

describe.each([...SETUPS, ...LISTED_SETUPS])('$name', (setup) => {
  const authenticator = createJwtAuthenticator([setup.issuer], { now: () => NOW });
  const bad = SECTIONS.filter((section) => section.applies(setup)).flatMap(({ name, rows, reason }) =>
    rows.map(([row, make]) => ({ name: `${name}: ${row}`, make, reason })),
  );

  test.each(bad)('refuses $name', async ({ make, reason }) => {
    const text = make(setup);
    const error = await failureOf(() => authenticator.authenticate(text));
    const parts = text.split('.').filter((item) => item.length > 12);
    const refusal = expectRefusal(error, 'unauthenticated', [MARKER, ...parts]);
    expect(refusal.message).toMatch(reason);
    counts.refused++;
  });

  test.each(GOOD)('accepts %s', async (_name, make) => {
    const identity = await authenticator.authenticate(make(setup));
    expect(identity.issuer).toBe(ISSUER);
    expect(identity.subject.length).toBeGreaterThan(0);
    expect(identity.claims['marker']).toBe(MARKER);
    expect(identity.selfMade).toBe(false);
    counts.accepted++;
  });

  test('another type is accepted from another issuer only', async () => {
    expect(await outcome(token(setup.alg, setup.key, {}, { typ: 'at+jwt' }))).toBe(
      setup.issuer.own ? 'unauthenticated' : 'alice',
    );
  });

  test('a key id means nothing where there is one key', async () => {
    expect(await outcome(token(setup.alg, setup.key, {}, { kid: '../../dev/null' }))).toBe(
      setup.keySet ? 'unauthenticated' : 'alice',
    );
  });

  async function outcome(made: string): Promise<string> {
    const error = await failureOf(() => authenticator.authenticate(made));
    return error === null
      ? (await authenticator.authenticate(made)).subject
      : expectRefusal(error, 'unauthenticated').code;
  }
});

test('nobody was asked for keys that tokens name', () => {
  expect(listenerHits).toBe(0);
});

test('the table is as long as it should be', () => {
  expect(
    SECTIONS.filter(({ applies }) => applies === always).flatMap(({ rows }) => rows).length,
  ).toBeGreaterThanOrEqual(60);
  expect(GOOD.length).toBeGreaterThanOrEqual(12);
});
