/** The brake: while runs are paused none begins, wherever it is asked for. */
import { pauseRuns, resumeRuns } from '../../engine/operations.ts';
import { identityOf } from '../access.ts';
import type { Http, ServerContext } from '../context.ts';
import { Paused, PauseBody } from '../schemas/actions.ts';

export function adminRoutes(http: Http, { engine, log }: ServerContext): void {
  http.post(
    '/api/admin/pause',
    { config: { access: 'admin' }, schema: { body: PauseBody, response: { 200: Paused } } },
    async (request) => {
      const identity = identityOf(request);
      const { paused } = await pauseRuns(engine, request.body.reason, identity);
      log.warn({ correlationId: request.id, subject: identity.subject, operation: 'pause' }, 'Runs are paused');
      return { paused };
    },
  );
  http.post(
    '/api/admin/resume',
    { config: { access: 'admin' }, schema: { response: { 200: Paused } } },
    async (request) => {
      const identity = identityOf(request);
      if ((await resumeRuns(engine, identity)) !== null)
        log.warn({ correlationId: request.id, subject: identity.subject, operation: 'resume' }, 'Runs begin again');
      return { paused: await engine.ledger.paused() };
    },
  );
}
