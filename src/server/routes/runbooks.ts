/** What there is, what it says, what it needs. Reading needs a token; history needs what the runbook requires. */
import { Type } from 'typebox';
import type { ServerContext, Http } from '../context.ts';
import { identityOf } from '../access.ts';
import { contentFor, findRunbook, listFor, requiredEnvironment } from '../documents.ts';
import { EnvironmentVariables, Name, RunbookContent, RunbookList } from '../schemas/runbooks.ts';

const Query = Type.Object({ include: Type.Optional(Type.Literal('last')) });

export function runbookRoutes(http: Http, context: ServerContext): void {
  http.get(
    '/api/runbooks',
    {
      config: { access: 'token' },
      schema: {
        querystring: Query,
        response: { 200: RunbookList },
      },
    },
    async (request) => ({
      success: true as const,
      runbooks: await listFor(context, identityOf(request), request.query.include === 'last'),
    }),
  );
  http.get(
    '/api/runbooks/:name',
    {
      config: { access: 'token' },
      schema: {
        params: Name,
        response: { 200: RunbookContent },
      },
    },
    async (request) => {
      const { name } = request.params;
      const found = await findRunbook(context, name, 'whole');
      const content = await contentFor(context, identityOf(request), found);
      return { success: true as const, filename: name, name: found.parsed.title ?? name, content };
    },
  );
  http.get(
    '/api/runbooks/:name/required-env',
    {
      config: { access: 'token' },
      schema: {
        params: Name,
        response: { 200: EnvironmentVariables },
      },
    },
    async (request) => {
      const { name } = request.params;
      const { parsed } = await findRunbook(context, name);
      return { success: true as const, filename: name, ...requiredEnvironment(context, parsed.runbook) };
    },
  );
}
