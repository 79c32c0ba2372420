/** Face 2: HTTP. Here is what every request goes through, in order; what routes do is in `routes/`. */
import path from 'node:path';
import Fastify, { LogController } from 'fastify';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import { RunbookError } from '../core/errors.ts';
import { guardRoutes, listRoutes } from './access.ts';
import { readBodiesAsJson } from './body.ts';
import type { Http, ServerContext } from './context.ts';
import { correlationIdOf } from './correlation.ts';
import { answerOrigins } from './cors.ts';
import { warnOfForwarded } from './forwarded.ts';
import { answerOtherMethods } from './methods.ts';
import { describeRoutes } from './description/describe.ts';
import { nothingHere, problemOf, sendProblem } from './problem.ts';
import { adminRoutes } from './routes/admin.ts';
import { configRoute } from './routes/config.ts';
import { docsRoutes, sendFiles } from './routes/docs.ts';
import { executeRoute } from './routes/execute.ts';
import { limitRoutes } from './limits/routes.ts';
import { loginRoute } from './routes/login.ts';
import { operationRoutes } from './routes/operations.ts';
import { logRequest } from './request-log.ts';
import { runActionRoutes } from './routes/run-actions.ts';
import { runEventRoutes } from './routes/run-events.ts';
import { runRoutes } from './routes/runs.ts';
import { reportRoutes } from './routes/reports.ts';
import { runbookRoutes } from './routes/runbooks.ts';
import { validateRoute } from './routes/validate.ts';
import { sayHeaders } from './security-headers.ts';
import { flaskJson } from './stage0/json.ts';
import {
  answerBadAddress,
  answerBrokenHttp,
  answerForNode,
  checkHost,
  refuseDoubled,
  refusePacked,
} from './unreadable.ts';

const MAX_BODY_BYTES = 1024 ** 2;
/** From the first byte of a request to the last one of its headers, and of its body. */
const HEADERS_MS = 15_000;
const REQUEST_MS = 30_000;
const CHECK_MS = 2000;

/** @param assets folder of the explorer's files */
export async function createServer(context: ServerContext, assets: string): Promise<Http> {
  const { settings, log, metrics } = context;
  const http: Http = Fastify({
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: correlationIdOf,
    bodyLimit: MAX_BODY_BYTES,
    trustProxy: settings.trustProxy.length === 0 ? false : [...settings.trustProxy],
    // Longer than any file name, so that it is the folder that says no.
    routerOptions: { maxParamLength: 1024 },
    requestTimeout: REQUEST_MS,
    connectionTimeout: 60_000,
    // Who sends a byte now and then is looked for as often as that; what has no host is answered by us.
    http: { headersTimeout: HEADERS_MS, connectionsCheckingInterval: CHECK_MS, requireHostHeader: false },
    return503OnClosing: false,
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false } },
    clientErrorHandler: answerBrokenHttp(context),
    frameworkErrors: answerBadAddress(context),
  }).withTypeProvider<TypeBoxTypeProvider>();

  const closing = new AbortController();
  http.addHook('preClose', async () => {
    closing.abort();
  });
  http.addHook('onRequest', async (request, reply) => {
    // What one caller may see is not for whoever asks the same browser, or the same proxy, next.
    reply.headers({ 'x-correlation-id': request.id, 'cache-control': 'no-store' });
  });
  http.addHook('onResponse', async (request, reply) => {
    logRequest(context, request, reply, false);
  });
  http.setErrorHandler(async (error, request, reply) => {
    const problem = problemOf(error);
    metrics.refusal(problem.code);
    if (problem.status === 500) {
      metrics.exception(request.method, 500);
      log.error({ correlationId: request.id, err: error }, 'A bug');
    }
    await sendProblem(reply, problem);
  });
  http.setNotFoundHandler(async (_, reply) => {
    await sendProblem(reply, problemOf(nothingHere()));
  });

  const routes = listRoutes(http);
  limitRoutes(http);
  await sayHeaders(http, context);
  warnOfForwarded(http, context);
  await answerOrigins(http, context);
  // Behind what writes headers, before anybody is asked for a token.
  http.addHook('onRequest', async (request, reply) => {
    checkHost(request, reply);
    refuseDoubled(request);
    if (closing.signal.aborted)
      throw new RunbookError('busy', 'The server is about to end.', { fix: 'Try again in a moment.' });
    // Before a body, which may be anything, is read.
    if (request.is404) return await sendProblem(reply, problemOf(nothingHere()));
    // As in Stage0, `/api/runbooks/` is not the list, nor a runbook without a name.
    if (isNameless(request.params)) throw nothingHere();
    return undefined;
  });
  await sendFiles(http, path.resolve(assets));
  readBodiesAsJson(http);
  answerAsFlask(http);
  guardRoutes(http, context);
  http.addHook('preParsing', async (request) => {
    refusePacked(request);
  });

  const describe = describeRoutes(http);
  const allowOf = answerOtherMethods(http, () => {
    runbookRoutes(http, context);
    validateRoute(http, context);
    executeRoute(http, context);
    runActionRoutes(http, context);
    adminRoutes(http, context);
    runRoutes(http, context);
    runEventRoutes(http, context, closing.signal);
    reportRoutes(http, context);
    configRoute(http, context);
    loginRoute(http, context);
    operationRoutes(http, context);
    docsRoutes(http, path.resolve(assets), describe);
  });
  answerForNode(http, context, allowOf);
  await http.ready();
  log.debug({ routes }, 'Routes');
  return http;
}

/** Of a part that has a name in the route; `*` may stand for nothing. */
function isNameless(params: unknown): boolean {
  return Object.entries(params ?? {}).some(([part, value]) => part !== '*' && value === '');
}

/** Spelt as Stage0 does; what may be in an answer its type says already. */
function answerAsFlask(http: Http): void {
  http.setSerializerCompiler(() => flaskJson);
  http.addHook('onSend', async (_, reply) => {
    if (reply.getHeader('content-type') === 'application/json; charset=utf-8')
      reply.header('content-type', 'application/json');
  });
}
