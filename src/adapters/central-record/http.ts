/** The record of many machines, behind `POST /api/runs` of a server. */
import type { CentralRecord, Delivery, Report } from '../../core/central-record.ts';
import { messageOf } from '../../core/failures.ts';

/** A server takes no larger body. */
const MAX_BODY_BYTES = 1024 ** 2;
const MAX_REASON = 300;

export function createCentralRecord(): CentralRecord {
  return {
    send: async (server, token, report, signal) => {
      const { askJson } = await import('../network/json.ts');
      try {
        const { status, body } = await askJson(new URL(`${server}/api/runs`), {
          method: 'POST',
          headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
          body: bodyOf(report),
          signal,
        });
        return judge(server, status, body, report.record.runId);
      } catch (error) {
        return { kind: 'away', reason: messageOf(error) };
      }
    },
  };
}

/** The record counts; where both are too much, the text stays here. */
function bodyOf({ record, document }: Report): string {
  const whole = JSON.stringify({ record, document });
  return Buffer.byteLength(whole) <= MAX_BODY_BYTES ? whole : JSON.stringify({ record, document: null });
}

function judge(server: string, status: number, body: unknown, runId: string): Delivery {
  const told = `${status}${detailOf(body)}`;
  if (status === 200 || status === 201) {
    // Whatever stands in between (a proxy, a page to log in at) answers with 200 as well.
    if (isObject(body) && body['run_id'] === runId) return { kind: 'taken' };
    return { kind: 'away', reason: 'is no server of runbooks, by its answer' };
  }
  if (status === 401)
    return {
      kind: 'away',
      reason: `does not take the token (${told}): give another one, or log in again with \`runbook login --server ${server}\``,
    };
  if (status >= 300 && status < 400)
    return { kind: 'away', reason: `sends elsewhere (${status}), and redirects are not followed` };
  if (status === 408 || status === 429 || status >= 500 || status < 300)
    return { kind: 'away', reason: `does not take it now (${told})` };
  return { kind: 'refused', reason: `does not take it (${told})` };
}

function detailOf(body: unknown): string {
  const detail = isObject(body) ? body['detail'] : undefined;
  if (typeof detail !== 'string' || detail === '') return '';
  const told = detail.slice(0, MAX_REASON).toWellFormed();
  return `: ${told.endsWith('.') ? told.slice(0, -1) : told}`;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
