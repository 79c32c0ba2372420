/**
 * Answers to what does not become a request: broken HTTP, headers without end, addresses that cannot be decoded, and what
 * Node would answer by itself, with no word. Each is a problem document, and leaves its line in the log.
 */
import { randomUUID } from 'node:crypto';
import { STATUS_CODES } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { codeOf } from '../core/failures.ts';
import type { Http, ServerContext } from './context.ts';
import { correlationIdOf } from './correlation.ts';
import { HttpError, nothingHere, problemOf } from './problem.ts';
import { logBare } from './request-log.ts';
import { BARE_HEADERS } from './security-headers.ts';

type Watched = Pick<ServerContext, 'log' | 'metrics'>;

/** Some parts of one may have gone out before its rest turned out to be broken; then it is only ended. */
export function answerBrokenHttp(context: Watched): (error: Error, socket: Duplex) => void {
  return (error, socket) => {
    const code = codeOf(error);
    if (code === 'ECONNRESET' || socket.destroyed) return;
    answerBare(context, socket, mistakeOf(code), { method: null, id: randomUUID(), code });
  };
}

/**
 * What Node answers on its own: a tunnel (it hangs up), an expectation that it does not know (417 without a body).
 *
 * @param allowOf methods of a path; null where there is nothing at it
 */
export function answerForNode(http: Http, context: Watched, allowOf: (path: string) => string | null): void {
  http.server.on('connect', (request: IncomingMessage, socket: Duplex) => {
    socket.on('error', () => {});
    const { url = '' } = request;
    // Another host is what it is meant for; a path is an address of ours, as with any other method.
    const allow = url.startsWith('/') ? allowOf(url) : TUNNELS_NOT;
    const facts = { method: 'CONNECT', id: correlationIdOf(request) };
    if (allow === null) {
      answerBare(context, socket, nothingHere(), facts);
      return;
    }
    const error = new HttpError(405, 'not-allowed', 'CONNECT is not for this server: it is no proxy.', {
      fix: `Use ${allow}.`,
      stage0: 'Method not allowed',
    });
    answerBare(context, socket, error, facts, { Allow: allow });
  });
  http.server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) => {
    const id = correlationIdOf(request);
    const error = new HttpError(417, 'usage', 'The server cannot do what the header Expect asks for.', {
      fix: 'Leave it out, or send 100-continue.',
    });
    const { headers, body } = bare(error, id);
    response.writeHead(417, headers).end(body);
    logBare(context, { method: request.method ?? null, status: 417, id });
  });
}

const TUNNELS_NOT = 'GET, HEAD, POST, PATCH, OPTIONS';

/** RFC 9112, 3.2, which Node would say without a word. @throws HttpError 400 */
export function checkHost({ raw }: Pick<FastifyRequest, 'raw'>, reply: FastifyReply): void {
  if (raw.headers.host !== undefined || raw.httpVersion === '1.0') return;
  // What is behind it may be meant for somebody else.
  reply.header('connection', 'close');
  throw new HttpError(400, 'usage', 'The request has no Host.', { fix: 'Send one header Host.' });
}

function answerBare(
  context: Watched,
  socket: Duplex,
  mistake: HttpError,
  facts: { readonly method: string | null; readonly id: string; readonly code?: string },
  more: Readonly<Record<string, string>> = {},
): void {
  const { status } = mistake;
  logBare(context, { status, ...facts, hasLeft: !socket.writable });
  if (socket.writable) {
    const { headers, body } = bare(mistake, facts.id);
    const lines = Object.entries({ ...headers, ...more, Connection: 'close' }).map(
      ([name, value]) => `${name}: ${value}\r\n`,
    );
    socket.write(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${lines.join('')}\r\n${body}`);
  }
  // What was written still goes out.
  socket.end(() => socket.destroy());
}

function bare(
  mistake: HttpError,
  id: string,
): { readonly headers: Readonly<Record<string, string>>; readonly body: string } {
  const body = `${JSON.stringify(problemOf(mistake))}\n`;
  return {
    body,
    headers: {
      ...BARE_HEADERS,
      'X-Correlation-Id': id,
      'Content-Type': 'application/problem+json; charset=utf-8',
      'Content-Length': String(Buffer.byteLength(body)),
    },
  };
}

function mistakeOf(code: string): HttpError {
  switch (code) {
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new HttpError(408, 'usage', 'The request took too long to arrive.', { fix: 'Send it in one go.' });
    case 'HPE_HEADER_OVERFLOW':
      return new HttpError(431, 'usage', 'The headers of the request are larger than 16 KiB.', {
        fix: 'Send fewer or shorter ones.',
      });
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return new HttpError(413, 'usage', 'The chunk extensions of the body are too large.', { fix: 'Send none.' });
    case 'HPE_INVALID_METHOD':
      return new HttpError(400, 'usage', 'The request does not begin with a method of HTTP.', {
        fix: `Use ${TUNNELS_NOT}; over TLS a proxy has to stand before the server.`,
      });
    default:
      return new HttpError(400, 'usage', 'What arrived is not HTTP as RFC 9112 has it.', {
        fix: 'Use another client, or look at what is between it and the server.',
      });
  }
}

/** A small body that becomes a large one is refused as it is: nothing is ever unpacked. @throws HttpError 415 */
export function refusePacked({ headers }: Pick<FastifyRequest, 'headers'>): void {
  const encoding = headers['content-encoding'];
  if (encoding === undefined || encoding.trim().toLowerCase() === 'identity') return;
  throw new HttpError(415, 'usage', 'The body is compressed.', { fix: 'Send it as it is, without Content-Encoding.' });
}

/** A proxy may have looked at the other one. Node takes the first. */
const ONCE = ['authorization', 'host'] as const;

/** @throws HttpError 400 */
export function refuseDoubled({ raw }: Pick<FastifyRequest, 'raw'>): void {
  const doubled = ONCE.find((name) => (raw.headersDistinct[name]?.length ?? 0) > 1);
  if (doubled === undefined) return;
  throw new HttpError(400, 'usage', `The request has more than one header “${doubled}”.`, { fix: 'Send it once.' });
}

/** Before any hook has run. */
export function answerBadAddress(
  context: Watched,
): (error: FastifyError, request: FastifyRequest, reply: FastifyReply) => void {
  return (error, { method, id }, reply) => {
    const isLong = error.code === 'FST_ERR_MAX_PARAM_LENGTH';
    const mistake = isLong
      ? new HttpError(404, 'not-found', 'There is nothing at this address.', { fix: 'Names are shorter than that.' })
      : new HttpError(400, 'usage', 'The address of the request cannot be decoded.', {
          fix: 'Write `%` as `%25` in it.',
        });
    const { headers, body } = bare(mistake, id);
    reply.raw.writeHead(mistake.status, headers).end(body);
    logBare(context, { method, status: mistake.status, id });
  };
}
