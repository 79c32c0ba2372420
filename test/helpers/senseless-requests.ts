/** Requests that HTTP allows and nobody would send. */

/** Texts that want to be more than a text, wherever they are written down. */
const NASTY = [
  ...['\u0085', '\u2028', '\u001b[31m', '\u202e', '\0', '\r\n', '\t', '\u00ff', '\ud800', '../', 'a'.repeat(500)],
  ...['%0d%0aSet-Cookie: a=b', '"}\n{"level":"fatal"', '${jndi:x}', '`id`'],
];
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND'];
const PATHS = [
  ...['/', '/api/runbooks', '/api/runbooks?include=last', '/api/runbooks?include=', '/api/runbooks/Real.md'],
  ...['/api/runbooks/None.md/execute', '/api/config', '/api/shutdown', '/dev-login', '/healthz', '/docs/explorer.js'],
  ...['/api/runbooks/', '/api', '/*', '//', '/api/../api/runbooks'],
];
const BODIES = ['{}', '[]', '{', '"x"', 'null', String.raw`{"env_vars":{"A":"\u0000"}}`];

/** @returns one below the given number; the same in a row for the same seed */
export function numbersOf(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** Bytes as latin1. @param authorization a header that some of them have */
export function senselessRequest(random: (below: number) => number, authorization: string): string {
  const pick = (list: readonly string[]): string => list[random(list.length)] ?? '';
  const seldom = (one: () => string): string[] => (random(4) === 0 ? [one()] : []);
  const inAddress = (): string => encodeURI(pick(NASTY).toWellFormed());
  // HTTP itself takes no control characters in a header; all else of it goes as bytes of UTF-8.
  const inHeader = (): string => Buffer.from(pick(NASTY).replaceAll(/[^\t\P{Cc}]/gu, '')).toString('latin1');
  const query = seldom(() => `?${inAddress()}=${inAddress()}`).join('');
  const address = pick(PATHS) + (random(3) === 0 ? inAddress() : '') + query;
  const body = random(3) === 0 ? pick([...BODIES, inHeader()]) : '';
  const headers = [
    'Host: a',
    ...(random(2) === 0 ? [authorization] : []),
    ...seldom(
      () => `Authorization: ${pick(['Bearer', 'Bearer ', 'Basic eA==', `Bearer ${inHeader()}`, 'Bearer a.b.c'])}`,
    ),
    ...(random(2) === 0 ? [`X-Correlation-Id: ${random(2) === 0 ? inHeader() : `id-${random(1e9)}`}`] : []),
    ...seldom(() => `X-Recursion-Stack: ${pick(['[]', '{', `["${inHeader()}"]`, '[1]'])}`),
    ...seldom(() => `X-Forwarded-For: ${inHeader()}`),
    ...seldom(() => `Origin: ${inHeader()}`),
    ...seldom(() => `User-Agent: ${inHeader()}`),
    ...(body === '' ? [] : [`Content-Type: ${pick(['application/json', 'text/plain', inHeader()])}`]),
    `Content-Length: ${Buffer.byteLength(body, 'latin1')}`,
  ];
  return `${pick(METHODS)} ${address} HTTP/1.1\r\n${headers.join('\r\n')}\r\n\r\n${body}`;
}
