/** Bodies of requests: JSON or nothing, whatever the route. Looked at before it is parsed, so that nothing costs more than its bytes. */
import { isUtf8 } from 'node:buffer';
import type { FastifyRequest } from 'fastify';
import type { Http } from './context.ts';
import { HttpError } from './problem.ts';

const MAX_DEPTH = 16;
const JSON_TYPE = /^application\/(?:[\w.-]+\+)?json[ \t]*(?:;|$)/i;

/** Registered before any route. Other types are answered with 415 by the framework. */
export function readBodiesAsJson(http: Http): void {
  http.removeAllContentTypeParsers();
  http.addContentTypeParser(JSON_TYPE, { parseAs: 'buffer' }, async (request: FastifyRequest, body: Buffer) => {
    // A client that always names a type, and has nothing to send.
    const { 'content-length': length, 'transfer-encoding': coding } = request.headers;
    refuseCharset(request.headers['content-type'] ?? '');
    if (body.length === 0 && length === undefined && coding === undefined) return undefined;
    return parseJson(body);
  });
}

/** JSON is UTF-8 whatever is said; who says otherwise has sent something else. @throws HttpError 415 */
function refuseCharset(type: string): void {
  const charset = /;[ \t]*charset[ \t]*=[ \t]*"?([^";,\s]*)/i.exec(type)?.[1]?.toLowerCase();
  if (charset === undefined || ['utf-8', 'utf8', 'us-ascii'].includes(charset)) return;
  throw new HttpError(415, 'usage', 'The body is not UTF-8, as its type says.', { fix: 'Send JSON in UTF-8.' });
}

/** @throws HttpError 400 */
export function parseJson(bytes: Buffer): unknown {
  if (bytes.length === 0) throw mistake('The body is empty, and its type says JSON.');
  if (!isUtf8(bytes)) throw mistake('The body is not UTF-8.');
  if (depthOf(bytes) > MAX_DEPTH) throw mistake(`The body is nested deeper than ${MAX_DEPTH} levels.`);
  try {
    return JSON.parse(bytes.toString(), (name, value: unknown) => {
      if (name === '__proto__') throw mistake('The body has a member `__proto__`, which is not allowed.');
      return value;
    });
  } catch (error) {
    if (error instanceof HttpError) throw error;
    // The parser's own message quotes the text.
    throw mistake('The body is not JSON.');
  }
}

/** Of brackets outside of texts; for a text that is not JSON any number. */
function depthOf(bytes: Buffer): number {
  let depth = 0;
  let deepest = 0;
  let isText = false;
  for (let index = 0; index < bytes.length; index += 1) {
    const byte = bytes[index];
    if (isText) {
      if (byte === 0x5c) index += 1;
      else if (byte === 0x22) isText = false;
    } else if (byte === 0x22) isText = true;
    else if (byte === 0x7b || byte === 0x5b) deepest = Math.max(deepest, (depth += 1));
    else if (byte === 0x7d || byte === 0x5d) depth -= 1;
  }
  return deepest;
}

function mistake(message: string): HttpError {
  return new HttpError(400, 'usage', message, { fix: 'Send one JSON object, flat and in UTF-8, or no body at all.' });
}
