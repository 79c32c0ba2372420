/** Runs, as they are recorded: those that a caller may know of. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import type { Static } from 'typebox';
import { readRunFilter } from '../../core/run-filter.ts';
import type { PlacedRun, RunFilter } from '../../core/ports.ts';
import { cancelsOf } from '../../engine/cancel.ts';
import { identityOf, isAdmin } from '../access.ts';
import type { Http, ServerContext } from '../context.ts';
import { HttpError } from '../problem.ts';
import { runFor, underWay } from '../runs/resource.ts';
import { visibilityOf, visibleRun } from '../runs/visible.ts';
import { ArtifactList, Run, RunId, RunList } from '../schemas/runs.ts';

const Query = Type.Object(
  {
    runbook: Type.Optional(Type.String({ description: 'Name, with or without `.md`' })),
    subject: Type.Optional(Type.String()),
    incident: Type.Optional(Type.String()),
    outcome: Type.Optional(Type.String({ description: 'Several with commas' })),
    since: Type.Optional(Type.String({ description: 'A date, a time, or how long ago: `7d`' })),
    until: Type.Optional(Type.String()),
    limit: Type.Optional(Type.String({ description: '1 to 200' })),
    cursor: Type.Optional(Type.String({ description: '`next` of the page before' })),
  },
  { additionalProperties: false },
);

const MAX_LIMIT = 200;
/** Runs that are looked at for one page, however many of them are not for the caller. */
const MAX_LOOKED_AT = 2000;

export function runRoutes(http: Http, context: ServerContext): void {
  http.get(
    '/api/runs',
    { config: { access: 'token' }, schema: { querystring: Query, response: { 200: RunList } } },
    async (request) => await pageFor(context, request, request.query),
  );
  http.get(
    '/api/runs/:id',
    { config: { access: 'token' }, schema: { params: RunId, response: { 200: Run } } },
    async (request) => {
      const { engine } = context;
      const identity = identityOf(request);
      const run = await visibleRun(context, identity, request.params.id);
      const mine = (await engine.ledger.underWay()).find((one) => one.run.runId === run.runId);
      const cancels = await cancelsOf(engine.ledger, run);
      return {
        run: runFor(run, isAdmin(context, identity)),
        cancels: cancels.map(({ operationId, at, who, reason }) => ({ operationId, at, who, reason })),
        under_way:
          mine === undefined
            ? null
            : underWay(mine, context.admission.placeOf(run.runId), context.questions.of(run.runId)),
      };
    },
  );
  http.get(
    '/api/runs/:id/output',
    {
      config: { access: 'token' },
      schema: {
        params: RunId,
        querystring: Type.Object(
          { stream: Type.Optional(Type.Union([Type.Literal('stdout'), Type.Literal('stderr')])) },
          { additionalProperties: false },
        ),
        response: { 200: Type.String() },
      },
    },
    async (request, reply) => {
      const { runId } = await visibleRun(context, identityOf(request), request.params.id);
      return await sendOutput(context, reply, runId, request.query.stream ?? null);
    },
  );
  http.get(
    '/api/runs/:id/artifacts',
    { config: { access: 'token' }, schema: { params: RunId, response: { 200: ArtifactList } } },
    async (request) => {
      const { result } = await visibleRun(context, identityOf(request), request.params.id);
      return { artifacts: [...(result?.artifacts ?? [])] };
    },
  );
  http.get(
    '/api/runs/:id/artifact',
    {
      config: { access: 'token' },
      schema: {
        params: RunId,
        querystring: Type.Object(
          { path: Type.String({ description: 'As in the list' }) },
          { additionalProperties: false },
        ),
      },
    },
    async (request, reply) => {
      const { runId } = await visibleRun(context, identityOf(request), request.params.id);
      const bytes = (await context.engine.artifacts?.read(runId, request.query.path)) ?? null;
      if (bytes === null)
        throw new HttpError(404, 'not-found', 'The run has not kept such a file.', {
          fix: 'GET /api/runs/ID/artifacts lists what it has kept.',
        });
      return await reply
        .type('application/octet-stream')
        .header('content-disposition', 'attachment')
        .header('x-content-type-options', 'nosniff')
        .send(bytes);
    },
  );
}

/** Full wherever there are as many runs for the caller; runs of others are passed over, a bounded number at a time. */
async function pageFor(
  context: ServerContext,
  request: FastifyRequest,
  { cursor, outcome, limit = '50', ...asked }: Static<typeof Query>,
): Promise<Static<typeof RunList>> {
  const { engine } = context;
  const identity = identityOf(request);
  const outcomes = outcome === undefined ? {} : { outcome: [outcome] };
  const filter = readRunFilter({ ...asked, ...outcomes, limit }, engine.clock.now(), MAX_LIMIT, (name) => `“${name}”`);
  const visibility = visibilityOf(context, identity);
  const page: PlacedRun[] = [];
  let before = readCursor(cursor);
  let lookedAt = 0;
  let isAll = false;
  while (!isAll && page.length < filter.limit && lookedAt < MAX_LOOKED_AT) {
    const wanted: RunFilter = { ...filter, ...(before === null ? {} : { before }) };
    const found = await engine.ledger.listPlaced(wanted);
    isAll = found.length < filter.limit;
    for (const one of found) {
      if (page.length === filter.limit) {
        isAll = false;
        break;
      }
      before = one.place;
      lookedAt += 1;
      if (await visibility.mayRead(one.run)) page.push(one);
    }
  }
  const isForAdmin = isAdmin(context, identity);
  return {
    runs: page.map(({ run }) => runFor(run, isForAdmin)),
    next: isAll || before === null ? null : before.toString(36),
  };
}

/** @throws HttpError 400 */
function readCursor(cursor: string | undefined): number | null {
  if (cursor === undefined) return null;
  if (/^[0-9a-z]{1,10}$/.test(cursor)) return Number.parseInt(cursor, 36);
  throw new HttpError(400, 'usage', 'The cursor is none of this server.', {
    fix: 'Take `next` of the page before, or leave it out.',
  });
}

/** Kept bytes as they were printed; what is not kept is said in a line of its own. */
async function sendOutput(
  { engine }: ServerContext,
  reply: FastifyReply,
  runId: string,
  stream: 'stdout' | 'stderr' | null,
): Promise<FastifyReply> {
  const { Readable } = await import('node:stream');
  const bytes = async function* (): AsyncGenerator<Buffer> {
    for await (const item of engine.output.read(runId)) {
      if (item.kind === 'gap') yield Buffer.from(`\n… ${item.dropped} bytes were not kept …\n`);
      // Held only until the next item is asked for.
      if (item.kind === 'chunk' && (stream === null || item.stream === stream)) yield Buffer.from(item.bytes);
    }
  };
  return await reply
    .type('text/plain; charset=utf-8')
    .header('x-content-type-options', 'nosniff')
    .send(Readable.from(bytes()));
}
