/** The description of the API, made from the routes that the server really has. */
import type { RouteOptions } from 'fastify';
import { VERSION } from '../../version.ts';
import type { Access } from '../access.ts';
import type { Http } from '../context.ts';
import { CORRELATION, problemAnswer, RATE } from './answers.ts';
import { collectComponents } from './components.ts';
import type { Answer, MediaType, OpenApi, Operation, Parameter, Schema } from './openapi.ts';
import { DESCRIPTION, OPERATIONS, TAGS } from './operations.ts';
import type { Described } from './operations.ts';

declare module 'fastify' {
  interface FastifySchema {
    /** Not a route of its own. */
    readonly hide?: boolean;
  }
}

/** Listens to the routes from now on. @returns what describes those that were added by then */
export function describeRoutes(http: Http): () => OpenApi {
  const routes: RouteOptions[] = [];
  http.addHook('onRoute', (route: RouteOptions) => {
    // GET brings its HEAD along, and nobody has to be told.
    const isOwn = typeof route.method === 'string' && route.method !== 'HEAD' && route.schema?.hide !== true;
    if (!isOwn) return;
    if (OPERATIONS[keyOf(route)] === undefined) throw new TypeError(`${keyOf(route)} is not described`);
    routes.push(route);
  });
  return () => documentOf(routes);
}

function keyOf({ method, url }: Pick<RouteOptions, 'method' | 'url'>): string {
  return `${String(method)} ${url}`;
}

function documentOf(routes: readonly RouteOptions[]): OpenApi {
  const components = collectComponents();
  const paths: Record<string, Record<string, Operation>> = {};
  for (const route of routes) {
    const path = route.url.replaceAll(/:(\w+)/g, '{$1}');
    const described = OPERATIONS[keyOf(route)];
    if (described === undefined) continue;
    const operation = operationOf(route, described);
    // What it puts in its place has the same members, with references for schemas.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    (paths[path] ??= {})[String(route.method).toLowerCase()] = components.place(operation) as Operation;
  }
  return {
    openapi: '3.1.1',
    info: {
      title: 'Runbook API',
      version: VERSION,
      description: DESCRIPTION,
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/', description: 'This server' }],
    tags: TAGS,
    paths,
    components: {
      schemas: components.schemas,
      securitySchemes: {
        bearer: {
          type: 'http',
          scheme: 'bearer',
          bearerFormat: 'JWT',
          description: 'A JSON Web Token of an issuer that the server trusts, or of `POST /dev-login` where that is on',
        },
      },
    },
  };
}

function operationOf(route: RouteOptions, described: Described): Operation {
  const { id, summary, description, tag, body, parameters = [] } = described;
  const access = route.config?.access ?? 'token';
  const fromRoute = [
    ...parametersOf(route.schema?.params, 'path'),
    ...parametersOf(route.schema?.querystring, 'query'),
  ];
  return {
    operationId: id,
    summary,
    description,
    tags: [tag],
    security: access === 'public' ? [] : [{ bearer: [] }],
    parameters: [...fromRoute, ...parameters],
    ...(body === undefined ? {} : { requestBody: body }),
    responses: answersOf(route, described, access),
  };
}

function answersOf(route: RouteOptions, described: Described, access: Access): Record<string, Answer> {
  const answers: Record<string, Answer> = {};
  for (const [status, answer] of Object.entries(described.answers)) {
    const { schema, example, type = 'application/json', more = {}, headers = {}, ...rest } = answer;
    const body = schema ?? responseOf(route, status);
    answers[status] = {
      ...rest,
      headers: { 'X-Correlation-Id': CORRELATION, ...(isLimited(route) ? RATE : {}), ...headers },
      ...(body === null
        ? {}
        : { content: { ...Object.fromEntries([type].flat().map((one) => [one, mediaType(body, example)])), ...more } }),
    };
  }
  for (const status of problemsOf(route, access, described)) {
    const problem = problemAnswer(status);
    const own = answers[status];
    // A status may be an answer of its own and a refusal: the media type tells which.
    answers[status] =
      own === undefined
        ? problem
        : {
            ...own,
            description: `${own.description}; or: ${problem.description}`,
            content: { ...own.content, ...problem.content },
          };
  }
  return answers;
}

function mediaType(schema: Schema, example: unknown): MediaType {
  return example === undefined ? { schema } : { schema, example };
}

/** What follows from who may use a route, and from what it takes. */
function problemsOf(route: RouteOptions, access: Access, { body, problems }: Described): readonly number[] {
  const guarded = access === 'public' ? [] : [401, 503];
  // Where limits cannot be counted, no token is made either.
  const limited = isLimited(route) ? [429, ...(route.config?.limit === 'login' ? [503] : [])] : [];
  const claims = access === 'public' || access === 'token' ? [] : [403];
  const withBody = body === undefined ? [] : [400, 413, 415];
  return [...new Set([...guarded, ...claims, ...withBody, ...problems, ...limited, 500])].toSorted((a, b) => a - b);
}

function isLimited({ config }: RouteOptions): boolean {
  return config?.limit !== undefined && config.limit !== 'exempt';
}

/** The schema by which a route writes its answer. */
function responseOf(route: RouteOptions, status: string): Schema | null {
  const { response } = route.schema ?? {};
  if (!isObject(response)) return null;
  const schema = response[status];
  return isObject(schema) && !('content' in schema) ? schema : null;
}

function parametersOf(schema: unknown, place: Parameter['in']): readonly Parameter[] {
  if (!isObject(schema) || !isObject(schema['properties'])) return [];
  const required: unknown = schema['required'];
  return Object.entries(schema['properties']).flatMap(([name, property]): Parameter[] => {
    if (!isObject(property)) return [];
    const { description, example, ...rest } = property;
    const isRequired = Array.isArray(required) && required.includes(name);
    return [
      {
        name,
        in: place,
        description: typeof description === 'string' ? description : name,
        ...(isRequired ? { required: true } : {}),
        schema: rest,
        ...(example === undefined ? {} : { example }),
      },
    ];
  });
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
