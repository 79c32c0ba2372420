/** `POST /api/runs`: the record of a run that took place elsewhere, as its caller attests it. */
import type { Identity } from '../../core/ports.ts';
import type { RunRecord } from '../../core/run.ts';
import { whyNoReport, whyNotItsDocument } from '../../core/report.ts';
import { checkRoomForRefusal } from '../../engine/room.ts';
import { identityOf } from '../access.ts';
import type { Http, ServerContext } from '../context.ts';
import { addressOf } from '../forwarded.ts';
import { HttpError } from '../problem.ts';
import { Report, Reported } from '../schemas/record.ts';

export function reportRoutes(http: Http, { engine, log }: ServerContext): void {
  http.post(
    '/api/runs',
    { config: { access: 'person' }, schema: { body: Report, response: { 200: Reported, 201: Reported } } },
    async (request, reply) => {
      const identity = identityOf(request);
      // The schema has checked its shape; its types are those of the record, but for how they name what is one of several.
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion
      const record = request.body.record as RunRecord;
      const { document } = request.body;
      const text = document === null ? null : Buffer.from(document);
      const now = engine.clock.now();
      refuseWrong(whyNoReport(record, now) ?? whyNotItsDocument(record, text));
      refuseForeign(record, identity);
      // The last of a disk is for runs that have begun here.
      await checkRoomForRefusal(engine);
      const attested = {
        by: identity.subject,
        issuer: identity.issuer,
        at: now.toISOString(),
        host: addressOf(request),
        ...(text === null && record.runbook.digest !== null ? { withoutDocument: true as const } : {}),
      };
      const { runId } = record;
      const found = await engine.ledger.report({ ...record, attested }, text);
      if (found === 'other') throw anotherOne(runId);
      const kept = found === 'known' ? (await engine.ledger.get(runId))?.attested : attested;
      // It is this ledger's own run: nobody has to vouch for it.
      if (kept === undefined) throw anotherOne(runId);
      log.info(
        { correlationId: request.id, runId, subject: identity.subject, known: found === 'known' },
        'Run reported',
      );
      const { by, issuer, at, host } = kept;
      return await reply
        .code(found === 'known' ? 200 : 201)
        .header('location', `/api/runs/${runId}`)
        .send({ run_id: runId, attested: { by, issuer, at, host } });
    },
  );
}

/** @param why half a sentence; null: nothing is wrong */
function refuseWrong(why: string | null): void {
  if (why === null) return;
  throw new HttpError(400, 'usage', `This is no record of a run that has ended: ${why}.`, {
    fix: 'Send the record as the ledger has it, of a run that has ended.',
  });
}

/** A person vouches for their own runs. Without a token nobody knows whose it was. */
function refuseForeign({ who }: RunRecord, { subject, issuer }: Identity): void {
  if (who.subject === null || (who.subject === subject && who.issuer === issuer)) return;
  throw new HttpError(403, 'forbidden', 'The run is somebody else’s: its subject is not that of the token.', {
    fix: 'Let whoever started it report it.',
  });
}

function anotherOne(runId: string): HttpError {
  return new HttpError(409, 'conflict', `Another record has the id ${runId}.`, {
    fix: 'Find out which of the two is right; nothing was changed.',
  });
}
