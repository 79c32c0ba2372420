/** Answers to what does not become a request: broken HTTP, headers without end, addresses that cannot be decoded. */
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyBaseLogger, FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { codeOf } from '../core/failures.ts';
import { HttpError, problemOf } from './problem.ts';
import { BARE_HEADERS } from './security-headers.ts';

/** Some parts of one may have gone out before its rest turned out to be broken; then it is only ended. */
export function answerBrokenHttp(log: FastifyBaseLogger): (error: Error, socket: Socket) => void {
  return (error, socket) => {
    const code = codeOf(error);
    if (code === 'ECONNRESET' || socket.destroyed) return;
    const mistake = mistakeOf(code);
    log.info({ code, status: mistake.status }, 'What arrived could not be read as HTTP');
    if (socket.writable) {
      const body = JSON.stringify(problemOf(mistake));
      const headers = {
        ...BARE_HEADERS,
        'Content-Type': 'application/problem+json; charset=utf-8',
        'Content-Length': String(Buffer.byteLength(body)),
        Connection: 'close',
      };
      const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
      const { status } = mistake;
      socket.write(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${lines.join('')}\r\n${body}`);
    }
    socket.destroySoon();
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
export function answerBadAddress(error: FastifyError, reply: FastifyReply): void {
  const isLong = error.code === 'FST_ERR_MAX_PARAM_LENGTH';
  const problem = problemOf(
    isLong
      ? new HttpError(404, 'not-found', 'There is nothing at this address.', { fix: 'Names are shorter than that.' })
      : new HttpError(400, 'usage', 'The address of the request cannot be decoded.', {
          fix: 'Write `%` as `%25` in it.',
        }),
  );
  void reply
    .headers(BARE_HEADERS)
    .header('x-correlation-id', reply.request.id)
    .code(problem.status)
    .type('application/problem+json; charset=utf-8')
    .send(JSON.stringify(problem));
}
