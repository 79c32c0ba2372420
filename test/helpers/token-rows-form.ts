/** Tokens that are wrong before anybody looks at a claim. */
import { changed, padded, spareBit, unsigned, withClaims, withHeader, withHeaderText } from './token-makers.ts';
import type { Row } from './token-makers.ts';
import type { Setup } from './token-setups.ts';
import { claims, part, signature, token } from './tokens.ts';

export const FORM: readonly Row[] = [
  ['empty', () => ''],
  ['one part', changed((_, [header]) => header)],
  ['two parts', changed((_, [header, payload]) => `${header}.${payload}`)],
  ['four parts', changed((good) => `${good}.AAAA`)],
  ['five parts (JWE)', changed((_, [header]) => `${header}.AAAA.AAAA.AAAA.AAAA`)],
  ['empty header', changed((_, [, payload, sig]) => `.${payload}.${sig}`)],
  ['empty payload', changed((_, [header, , sig]) => `${header}..${sig}`)],
  ['empty signature', changed((_, [header, payload]) => `${header}.${payload}.`)],
  ['leading space', changed((good) => ` ${good}`)],
  ['trailing space', changed((good) => `${good} `)],
  ['trailing line end', changed((good) => `${good}\n`)],
  ['line end inside', changed((_, [header, payload, sig]) => `${header}.\n${payload}.${sig}`)],
  ['NUL at the end', changed((good) => `${good}\0`)],
  ['padding after the signature', changed((good) => `${good}=`)],
  ['padding after the header', changed((_, [header, payload, sig]) => `${header}=.${payload}.${sig}`)],
  ['other alphabet', changed((_, [header, payload, sig]) => `${header}.${payload}.+/${sig.slice(2)}`)],
  ['"Bearer " before it', changed((good) => `Bearer ${good}`)],
  ['quotes around it', changed((good) => `"${good}"`)],
  ['spare bit in the signature', changed((_, [header, payload, sig]) => `${header}.${payload}.${spareBit(sig)}`)],
  [
    'spare bit in the payload',
    ({ alg, key }) => {
      const input = `${part(JSON.stringify({ alg }))}.${spareBit(part(padded(claims())))}`;
      return `${input}.${signature(alg, input, key)}`;
    },
  ],
  [
    'spare bit in the header',
    ({ alg, key }) => {
      const input = `${spareBit(part(padded({ alg })))}.${part(JSON.stringify(claims()))}`;
      return `${input}.${signature(alg, input, key)}`;
    },
  ],
  ['8 MB', withClaims({ filler: 'x'.repeat(8 * 1024 * 1024) })],
  ['a little too long', withClaims({ filler: 'x'.repeat(6200) })],
];

export const SIGNATURE: readonly Row[] = [
  ['of another key', ({ alg, otherKey }) => token(alg, otherKey)],
  [
    'of another token',
    changed(
      (_, [header, payload], { alg, key }) => `${header}.${payload}.${token(alg, key, { a: 1 }).split('.')[2] ?? ''}`,
    ),
  ],
  [
    'of another payload',
    changed((_, [header, , sig]) => `${header}.${part(JSON.stringify(claims({ roles: ['admin'] })))}.${sig}`),
  ],
  [
    'cut',
    changed((_, [header, payload, sig]) => `${header}.${payload}.${part(Buffer.from(sig, 'base64url').subarray(1))}`),
  ],
  ['longer', changed((good) => `${good}AAAA`)],
  [
    'all zero',
    changed(
      (_, [header, payload, sig]) => `${header}.${payload}.${part(Buffer.alloc(Buffer.from(sig, 'base64url').length))}`,
    ),
  ],
  ['none', () => unsigned('none')],
  ['none with a signature', ({ key, alg }) => token(alg, key, {}, { alg: 'none' })],
  ['None', () => `${unsigned('None')}AAAA`],
  ['nOnE', () => `${unsigned('nOnE')}AAAA`],
  ['NONE', () => `${unsigned('NONE')}AAAA`],
  [
    'HMAC with what is published',
    ({ published }) => token('HS256', published.length > 0 ? published : Buffer.from('\0')),
  ],
  [
    'right, with an algorithm that is not configured',
    ({ otherAlg, alg, key }) => token(otherAlg.startsWith('ES') ? alg : otherAlg, key, {}, { alg: otherAlg }),
  ],
];

const jwkOf = ({ otherKey, alg }: Setup): unknown =>
  otherKey instanceof Uint8Array
    ? { kty: 'oct', k: part(otherKey) }
    : { ...otherKey.export({ format: 'jwk' }), d: undefined, alg };

/** @param address of a server that must not be asked */
export const headerRows = (address: () => string): readonly Row[] => [
  ['alg missing', withHeader({ alg: undefined })],
  ['alg number', withHeader({ alg: 256 })],
  ['alg list', ({ alg, key }) => token(alg, key, {}, { alg: [alg] })],
  ['alg lower case', ({ alg, key }) => token(alg, key, {}, { alg: alg.toLowerCase() })],
  ['alg empty', withHeader({ alg: '' })],
  ['alg of the prototype', withHeader({ alg: 'constructor' })],
  ['alg twice', withHeaderText((header) => header.replace('{', '{"alg":"none",'))],
  ['alg twice, escaped', withHeaderText((header) => header.replace('{', '{"\\u0061lg":"none",'))],
  ['kid twice', withHeaderText((header) => header.replace('{', '{"kid":"key-1","kid":"key-1",'))],
  ['crit', withHeader({ crit: ['exp'], exp: 1 })],
  ['crit empty', withHeader({ crit: [] })],
  ['b64 false', withHeader({ b64: false })],
  ['b64 false, critical', withHeader({ b64: false, crit: ['b64'] })],
  ['b64 true', withHeader({ b64: true })],
  ['jku', (setup) => withHeader({ jku: `${address()}/jku` })(setup)],
  ['x5u', (setup) => withHeader({ x5u: `${address()}/x5u` })(setup)],
  ['jku, signed by its key', ({ alg, otherKey }) => token(alg, otherKey, {}, { jku: `${address()}/jku`, kid: 'evil' })],
  ['jwk, signed by it', (setup) => token(setup.alg, setup.otherKey, {}, { jwk: jwkOf(setup) })],
  ['x5c', withHeader({ x5c: ['MIIB'] })],
  ['enc', withHeader({ enc: 'A128GCM' })],
  ['zip', withHeader({ zip: 'DEF' })],
  ['kid number', withHeader({ kid: 1 })],
  ['kid object', withHeader({ kid: { a: 1 } })],
  ['kid list', withHeader({ kid: ['key-1'] })],
  ['kid with a line end', withHeader({ kid: 'key-1\n' })],
  ['kid with NUL', withHeader({ kid: 'key-1\0' })],
  ['kid of 1 KB', withHeader({ kid: 'k'.repeat(1024) })],
  ['kid of 1 MB', withHeader({ kid: 'k'.repeat(1024 * 1024) })],
  ['typ number', withHeader({ typ: 1 })],
  ['__proto__', withHeaderText((header) => header.replace('{', '{"__proto__":{"alg":"none"},'))],
  ['a list', withHeaderText((header) => `[${header}]`)],
  ['null', withHeaderText(() => 'null')],
  ['not JSON', withHeaderText((header) => header.slice(0, -1))],
  ['single quotes', withHeaderText((header) => header.replaceAll('"', "'"))],
  ['byte order mark', withHeaderText((header) => `\uFEFF${header}`)],
  [
    'not UTF-8',
    withHeaderText((header) =>
      Buffer.concat([Buffer.from(header.slice(0, -1)), Buffer.from(',"a":"\xff"}', 'latin1')]),
    ),
  ],
  ['UTF-16', withHeaderText((header) => Buffer.from(header, 'utf16le'))],
];
