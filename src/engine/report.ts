/** Records of ended runs on their way to the server that keeps those of many machines. What has not arrived waits. */
import type { CentralRecord, Outbox, Report, WaitingReport } from '../core/central-record.ts';
import { RunbookError } from '../core/errors.ts';
import type { RunLedger } from '../core/ports.ts';
import type { StoredRun } from '../core/run.ts';
import { isUnderWay } from '../core/run-state.ts';

export interface ReportPorts {
  readonly ledger: Pick<RunLedger, 'get' | 'documentText'>;
  readonly outbox: Outbox;
  readonly centralRecord: CentralRecord;
}

export interface SendWish {
  /** Null: reports to any server. */
  readonly server: string | null;
  /** Null where there is none for that server. */
  readonly tokenFor: (server: string) => Promise<string | null>;
  /** So many are tried, the oldest first. */
  readonly most: number;
  /** Gives up. */
  readonly signal: AbortSignal;
}

interface Told {
  readonly runId: string;
  readonly server: string;
}

export interface LeftReport extends Told {
  /** Half a sentence about the server, or the run. */
  readonly reason: string;
  /** Of a run that goes on there is nothing to tell yet. */
  readonly isUnderWay?: true;
}

export interface SentReports {
  readonly sent: readonly Told[];
  readonly left: readonly LeftReport[];
  /** By now; they are not sent again by themselves. */
  readonly refused: readonly LeftReport[];
}

const MAX_DOCUMENT_BYTES = 512 * 1024;

/** When a run is queued: whoever ends it, or finds it ended, knows that it is to be told of. */
export async function expectReport(
  { outbox }: Pick<ReportPorts, 'outbox'>,
  runId: string,
  server: string,
): Promise<void> {
  await outbox.keep({ runId, server, report: null });
}

/** When its end is recorded. @returns false where the ledger has no end of it @throws RunbookError `io` */
export async function keepReport(ports: ReportPorts, runId: string, server: string): Promise<boolean> {
  const run = await ports.ledger.get(runId);
  if (run === null || isUnderWay(run.state)) return false;
  await ports.outbox.keep({ runId, server, report: await reportOf(ports, run) });
  return true;
}

/** In order. A server that does not answer is asked once. @throws RunbookError `io` of the outbox */
export async function sendReports(ports: ReportPorts, wish: SendWish): Promise<SentReports> {
  const { outbox, centralRecord } = ports;
  const [sent, left, refused]: [Told[], LeftReport[], LeftReport[]] = [[], [], []];
  const away = new Map<string, string>();
  const tokens = new Map<string, Promise<string | null>>();
  let tried = 0;
  for (const runId of await outbox.waiting()) {
    const waiting = await outbox.read(runId);
    if (waiting === null || (wish.server !== null && waiting.server !== wish.server)) continue;
    const { server } = waiting;
    const report = await reportIn(ports, waiting);
    if (report === 'gone') continue;
    if (report === 'under way') {
      left.push({ runId, server, reason: 'the run goes on', isUnderWay: true });
      continue;
    }
    const tell = tokens.get(server) ?? wish.tokenFor(server);
    tokens.set(server, tell);
    const token = await tell.catch((error: unknown) => {
      if (!(error instanceof RunbookError)) throw error;
      away.set(server, `gets nothing now. ${error.message} ${error.fix.replace(/\.$/, '')}`);
      return null;
    });
    const why =
      away.get(server) ?? (token === null ? noTokenFor(server) : tried >= wish.most ? 'was not tried now' : null);
    if (why !== null || token === null) {
      left.push({ runId, server, reason: why ?? noTokenFor(server) });
      continue;
    }
    tried += 1;
    const delivery = await centralRecord.send(server, token, report, wish.signal);
    if (delivery.kind === 'taken') {
      await outbox.remove(runId);
      sent.push({ runId, server });
    } else if (delivery.kind === 'refused') {
      await outbox.refuse({ runId, server, report, reason: delivery.reason });
      refused.push({ runId, server, reason: delivery.reason });
    } else {
      away.set(server, delivery.reason);
      left.push({ runId, server, reason: delivery.reason });
    }
  }
  return { sent, left, refused };
}

function noTokenFor(server: string): string {
  return `gets nothing without a token: give one with --token-file, or get one with \`runbook login --server ${server}\``;
}

/** Of a run whose runner died the record is made now, once somebody has recorded its end. */
async function reportIn(
  ports: ReportPorts,
  { runId, server, report }: WaitingReport,
): Promise<Report | 'under way' | 'gone'> {
  if (report !== null) return report;
  const run = await ports.ledger.get(runId);
  if (run === null) {
    await ports.outbox.remove(runId);
    return 'gone';
  }
  if (isUnderWay(run.state)) return 'under way';
  const made = await reportOf(ports, run);
  await ports.outbox.keep({ runId, server, report: made });
  return made;
}

async function reportOf({ ledger }: ReportPorts, run: StoredRun): Promise<Report> {
  const { seq: _seq, prev: _prev, hash: _hash, ...record } = run;
  const text = run.runbook.digest === null ? null : await ledger.documentText(run.runbook.digest);
  const told = text === null || text.length > MAX_DOCUMENT_BYTES ? null : text.toString();
  // What is no UTF-8 would arrive as another text.
  const isSent = told !== null && text !== null && Buffer.from(told).equals(text);
  return { record, document: isSent ? told : null };
}
