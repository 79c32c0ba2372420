/** Holds answers of a server to its own description: whatever it answers has to be there, and nothing besides. */
import { isDeepStrictEqual } from 'node:util';
import type { IncomingHttpHeaders } from 'node:http';
import { Ajv2020 } from 'ajv/dist/2020.js';
import type { ValidateFunction } from 'ajv/dist/2020.js';
import { parse } from 'yaml';
import { asObject } from './schemas.ts';

export interface AnswerLike {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

export interface Description {
  readonly document: Readonly<Record<string, unknown>>;
  /**
   * Status, media type, headers and body are among those of the route. HEAD is held to GET; a method or an address that is
   * not described has to be refused as such. @throws Error that says what differs
   */
  expectDescribed(method: string, path: string, answer: AnswerLike): void;
}

type Members = Readonly<Record<string, unknown>>;

/** Of requests that are refused before anybody knows what they are for. */
const BEFORE_ROUTES: ReadonlySet<number> = new Set([400, 408, 414, 431]);

/** @param yaml text of the description */
export function readDescription(yaml: string): Description {
  const document = asObject(parse(yaml));
  const ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: false });
  ajv.addSchema(closed(document), 'openapi');
  const compiled = new Map<string, ValidateFunction>();
  const paths = asObject(document['paths']);

  const check = (pointer: string, body: unknown, what: string): void => {
    const validate = compiled.get(pointer) ?? ajv.compile({ $ref: `openapi#${pointer}` });
    compiled.set(pointer, validate);
    if (!validate(body)) throw new Error(`${what}: ${ajv.errorsText(validate.errors)} in ${JSON.stringify(body)}`);
  };
  const checkProblem = (what: string, { headers, text }: AnswerLike, hasBody: boolean): void => {
    const type = mediaTypeOf(headers);
    if (type !== 'application/problem+json') throw new Error(`${what}: ${type ?? 'no body'} is no problem document`);
    if (hasBody) check('/components/schemas/Problem', JSON.parse(text), what);
  };

  return {
    document,
    expectDescribed: (method, path, answer) => {
      const { status, headers, text } = answer;
      const what = `${method} ${path} answered ${status}`;
      const isHead = method === 'HEAD';
      // As it goes over the wire: `/./` is a segment like any.
      const [address = ''] = path.split('?');
      const template = templateOf(Object.keys(paths), address);
      if (template === null) {
        if (status === 404 || BEFORE_ROUTES.has(status)) checkProblem(what, answer, !isHead);
        else throw new Error(`${what}, and the address is not described`);
        return;
      }
      const methods = asObject(paths[template]);
      const operation = methods[(isHead ? 'GET' : method).toLowerCase()];
      if (operation === undefined) {
        const allow = allowOf(Object.keys(methods));
        // A preflight of a browser has an answer of its own.
        if (method === 'OPTIONS' && [200, 204].includes(status)) return;
        if (status !== 405) throw new Error(`${what}, and the method is not described`);
        if (!isDeepStrictEqual(new Set(headers.allow?.split(', ')), allow))
          throw new Error(`${what}: Allow is ${String(headers.allow)}`);
        checkProblem(what, answer, !isHead);
        return;
      }
      const described = asObject(asObject(operation)['responses'])[String(status)];
      if (described === undefined) {
        if (!BEFORE_ROUTES.has(status) || text.startsWith('HTTP/')) throw new Error(`${what}, which is not described`);
        checkProblem(what, answer, !isHead);
        return;
      }
      const pointer = `/paths/${escaped(template)}/${(isHead ? 'GET' : method).toLowerCase()}/responses/${status}`;
      checkHeaders(what, asObject(described), headers);
      const content = asObject(asObject(described)['content'] ?? {});
      const type = mediaTypeOf(headers);
      if (type === null || Object.keys(content).length === 0) {
        if (text !== '') throw new Error(`${what}: it has a body, which is not described`);
        if (!isHead && Object.keys(content).length > 0) throw new Error(`${what}: it has no media type`);
        return;
      }
      if (content[type] === undefined) throw new Error(`${what}: ${type} is not described`);
      if (isHead) return;
      const body: unknown = type.endsWith('json') ? JSON.parse(text) : text;
      check(`${pointer}/content/${escaped(type)}/schema`, body, what);
    },
  };
}

function checkHeaders(what: string, described: Members, headers: IncomingHttpHeaders): void {
  for (const [name, header] of Object.entries(asObject(described['headers'] ?? {}))) {
    const value = headers[name.toLowerCase()];
    const { required, schema } = asObject(header);
    if (value === undefined && required === true) throw new Error(`${what} without ${name}`);
    const { const: only, pattern } = asObject(schema);
    if (value === undefined || (only === undefined && pattern === undefined)) continue;
    const fits = only === undefined ? new RegExp(String(pattern)).test(String(value)) : value === only;
    if (!fits) throw new Error(`${what}: ${name} is ${String(value)}`);
  }
}

/** Without its parameters; null: there is no body. */
function mediaTypeOf(headers: IncomingHttpHeaders): string | null {
  return headers['content-type']?.split(';')[0]?.trim() ?? null;
}

/** `%64` is a `d`. */
function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

/** One without parameters before one with them. */
function templateOf(templates: readonly string[], path: string): string | null {
  const fits = (template: string): boolean => {
    const segments = template.split('/');
    const given = path.split('/');
    return (
      segments.length === given.length &&
      segments.every((one, at) => (one.startsWith('{') ? given[at] !== '' : one === decoded(given[at] ?? '')))
    );
  };
  return templates.find((template) => template === path) ?? templates.find(fits) ?? null;
}

function allowOf(methods: readonly string[]): ReadonlySet<string> {
  const all = methods.map((method) => method.toUpperCase());
  return new Set([...all, 'OPTIONS', ...(all.includes('GET') ? ['HEAD'] : [])]);
}

function escaped(segment: string): string {
  return encodeURIComponent(segment.replaceAll('~', '~0').replaceAll('/', '~1'));
}

/** The same with no room for members that are not described. */
function closed(value: unknown): Record<string, unknown> {
  const visit = (item: unknown): unknown => {
    if (Array.isArray(item)) return item.map(visit);
    if (typeof item !== 'object' || item === null) return item;
    const members = Object.fromEntries(Object.entries(item).map(([name, one]) => [name, visit(one)]));
    const isClosable =
      members['type'] === 'object' &&
      members['properties'] !== undefined &&
      members['additionalProperties'] === undefined;
    return isClosable ? { ...members, additionalProperties: false } : members;
  };
  return visit(value) as Record<string, unknown>;
}
