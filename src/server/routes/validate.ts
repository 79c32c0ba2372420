/** Whether a runbook is sound, and what it needs is there. Nothing is started. */
import { checkRequest } from '../../engine/dry-check.ts';
import type { Http, ServerContext } from '../context.ts';
import { answerRefusal } from '../refusals.ts';
import { readRequest } from '../run-request.ts';
import { EnvVarsBody, Name, ValidationAnswer } from '../schemas/runbooks.ts';
import { messagesOf, overHttp } from '../stage0/validation.ts';

export function validateRoute(http: Http, context: ServerContext): void {
  http.patch(
    '/api/runbooks/:name/validate',
    {
      config: { access: 'runbook' },
      schema: {
        params: Name,
        body: EnvVarsBody,
        response: { 200: ValidationAnswer, 400: ValidationAnswer },
      },
    },
    async (request, reply) => {
      const { name } = request.params;
      const { found, runRequest, warnings: passedOver } = await readRequest(context, request, name);
      try {
        const { problems, warnings: ofSecrets } = await checkRequest(context.engine, runRequest, (event) => {
          if (event.type === 'notice' && event.level === 'warning')
            context.log.warn({ correlationId: request.id }, event.message);
        });
        const { errors, warnings } = messagesOf(problems, { title: found.parsed.title, fileName: name });
        const success = errors.length === 0;
        return await reply.code(success ? 200 : 400).send({
          success,
          runbook: name,
          errors: [...errors],
          warnings: [...warnings, ...ofSecrets, ...passedOver],
          problems: problems.map(overHttp),
        });
      } catch (error) {
        await answerRefusal(context, request, reply, { operation: 'validate', found }, error);
        return reply;
      }
    },
  );
}
