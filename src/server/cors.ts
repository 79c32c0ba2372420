/** Pages of other origins: those that are listed, compared exactly; to all others nothing is said that a browser would accept. */
import cors from '@fastify/cors';
import type { FastifyCorsOptions } from '@fastify/cors';
import type { Http, ServerContext } from './context.ts';

const LISTED: FastifyCorsOptions = {
  methods: ['GET', 'HEAD', 'POST', 'PATCH'],
  allowedHeaders: [
    'Authorization',
    'Content-Type',
    'Idempotency-Key',
    'Prefer',
    'X-Correlation-Id',
    'X-Incident-Id',
    'X-Recursion-Stack',
    'traceparent',
  ],
  exposedHeaders: [
    'X-Correlation-Id',
    'X-Run-Id',
    'Location',
    'Preference-Applied',
    'Retry-After',
    'RateLimit-Limit',
    'RateLimit-Remaining',
    'RateLimit-Reset',
  ],
  optionsSuccessStatus: 200,
  maxAge: 600,
};

export async function answerOrigins(http: Http, { settings }: Pick<ServerContext, 'settings'>): Promise<void> {
  const listed = new Set(settings.allowedOrigins);
  await http.register(cors, {
    delegator: ({ headers }, done) => {
      const { origin } = headers;
      const isListed = origin !== undefined && listed.has(origin);
      // Any other OPTIONS is a question to the server itself.
      const preflight = isListed && headers['access-control-request-method'] !== undefined;
      done(null, { ...LISTED, origin: isListed ? origin : false, preflight });
    },
  });
}
