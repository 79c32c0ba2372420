/** `runbook audit`: whether the record holds, what was done to it, and a copy of it. */
import path from 'node:path';
import { RunbookError } from '../../core/errors.ts';
import type { Anchor } from '../../core/audit.ts';
import type { LedgerView, StoredOperation } from '../../core/ports.ts';
import { auditRecord } from '../../engine/audit.ts';
import type { AuditReport } from '../../engine/audit.ts';
import { auditFiles } from '../../engine/audit-files.ts';
import type { FilePorts, FilesReport } from '../../engine/audit-files.ts';
import { withReason } from '../../engine/cancel.ts';
import { describeWho } from '../describe.ts';
import { printJson, withApp } from '../context.ts';
import type { CommonOptions } from '../context.ts';
import { inline, renderTable } from '../render.ts';
import type { Terminal } from '../terminal.ts';
import { askingLedger } from '../with-ledger.ts';

export interface VerifyOptions extends CommonOptions {
  readonly ledger?: string;
  readonly expect?: readonly string[];
  readonly outputs?: boolean;
}

export interface AuditListOptions extends CommonOptions {
  readonly limit?: string;
}

/** Of files that are wrong; in JSON there are all of them. */
const MAX_SHOWN = 20;

/** As for an invalid document: the file is there and can be read, and what is in it is wrong. */
const DOES_NOT_HOLD = 65;

export async function verifyCommand(terminal: Terminal, options: VerifyOptions): Promise<number> {
  const anchors = (options.expect ?? []).map(readAnchor);
  if (options.outputs === true && options.ledger !== undefined)
    throw new RunbookError(
      'usage',
      '--outputs does not go with --ledger: outputs lie beside the ledger, not beside a copy.',
      {
        fix: 'Leave one of them out, or name a copy of the whole state folder with --state-dir.',
      },
    );
  return await withApp(terminal, options, async ({ app }) => {
    const file = options.ledger === undefined ? null : path.resolve(terminal.cwd, options.ledger);
    const report = await reportOn(terminal, options, await app.view(file), {
      anchors,
      files: options.outputs === true ? app : null,
    });
    return await tell(terminal, options, 'audit verify', report, anchors);
  });
}

export async function copyCommand(terminal: Terminal, file: string, options: CommonOptions): Promise<number> {
  return await withApp(
    terminal,
    askingLedger(options),
    async ({ app }) => {
      // A ledger that is not there is not made for this.
      (await app.view(null)).close();
      const target = path.resolve(terminal.cwd, file);
      await (await app.ledger()).copyTo(target);
      const report = await reportOn(terminal, options, await app.view(target), { anchors: [], files: null });
      return await tell(terminal, options, 'audit copy', report, []);
    },
    { ledgerUse: 'ask' },
  );
}

export async function listCommand(terminal: Terminal, options: AuditListOptions): Promise<number> {
  const text = options.limit ?? '20';
  const limit = Number(text);
  if (!/^\d+$/.test(text) || limit < 1 || limit > 10_000)
    throw new RunbookError('usage', '--limit is not a number from 1 to 10000.', { fix: 'Write `--limit 20`.' });
  return await withApp(
    terminal,
    askingLedger(options),
    async ({ app, style }) => {
      const ledger = await app.ledger();
      const operations: StoredOperation[] = [];
      for (const one of await ledger.operations(limit)) operations.push(await withReason(ledger, one));
      const why = await app.whyLeftAlone();
      if (why !== null && options.quiet !== true) terminal.say(style.dim(inline(why)));
      if (options.json === true) await printJson(terminal, 'audit list', { operations });
      else if (operations.length === 0) terminal.say('Nothing was done but runs.');
      else {
        const rows = [['WHEN', 'OPERATION', 'WHO', 'WHAT', 'RECORD'], ...operations.map(row)];
        await terminal.print(`${renderTable(rows)}\n`);
      }
      return 0;
    },
    { ledgerUse: 'ask' },
  );
}

function row({ at, operation, who, run, answer, pruned, seq, reason }: StoredOperation): readonly string[] {
  const what = [run, answer && answered(answer), pruned && counted(pruned.runIds.length), reason]
    .filter((one) => one !== undefined && one !== null)
    .join(', ');
  return [at, operation, inline(describeWho({ ...who, osUser: who.osUser ?? '?' })), inline(what), String(seq)];
}

function answered({ step, answer }: NonNullable<StoredOperation['answer']>): string {
  return `step ${step}: ${answer}`;
}

function counted(runs: number): string {
  return runs === 1 ? '1 run' : `${runs} runs`;
}

function readAnchor(text: string): Anchor {
  const [, seq, hash] = /^([1-9]\d{0,14}):([0-9a-f]{64})$/i.exec(text.trim()) ?? [];
  if (seq === undefined || hash === undefined)
    throw new RunbookError('usage', `--expect: “${text}” is not SEQ:HASH.`, {
      fix: 'Write number and hash as `runbook audit verify` prints them behind “last”.',
    });
  return { seq: Number(seq), hash: hash.toLowerCase() };
}

interface Report extends AuditReport {
  /** Null where nobody asked for it. */
  readonly files: FilesReport | null;
}

async function reportOn(
  terminal: Terminal,
  options: CommonOptions,
  view: LedgerView,
  { anchors, files }: { readonly anchors: readonly Anchor[]; readonly files: FilePorts | null },
): Promise<Report> {
  const isShown = terminal.interactive && options.quiet !== true && options.json !== true;
  const show = (text: string): void => {
    if (isShown) terminal.stderr.write(`\r${text}\x1B[K`);
  };
  try {
    const report = auditRecord(view, anchors, (done, of) => {
      show(`${Math.floor((done / of) * 100)} % of ${of} records`);
    });
    if (files === null) return { ...report, files: null };
    const compared = await auditFiles(view, files, options.json === true ? Infinity : MAX_SHOWN, (count) => {
      show(`${count} files`);
    });
    return { ...report, files: compared };
  } finally {
    show('');
    view.close();
  }
}

async function tell(
  terminal: Terminal,
  options: CommonOptions,
  command: string,
  { files, ...report }: Report,
  anchors: readonly Anchor[],
): Promise<number> {
  const { last } = report;
  const named = files?.findings ?? [];
  const findings = [...report.findings, ...named];
  const unnamed = (files?.wrong ?? 0) - named.length;
  const hasMore = report.hasMore || unnamed > 0;
  const holds = findings.length === 0;
  // Where an expected record is not there, nothing is known.
  const notSeen = notSeenOf(holds ? anchors : []);
  if (options.json === true) {
    const counts = files === null ? null : { compared: files.compared, removed: files.removed, wrong: files.wrong };
    await printJson(terminal, command, { holds, ...report, findings, hasMore, files: counts, notSeen });
  } else {
    const rows = [
      ['records', `${report.records}${report.takenOut === 0 ? '' : `, ${report.takenOut} of them taken out`}`],
      ['runs', String(report.runs)],
      ['operations', String(report.operations)],
      ['documents', String(report.documents)],
      ...(files === null ? [] : [['files', toldOf(files)]]),
      ['last', last === null ? 'none' : `${last.seq}:${last.hash}`],
    ];
    const wrong = [
      ...report.findings.map(({ message }) => inline(message)),
      ...(report.hasMore ? ['… and more.'] : []),
      ...named.map(({ message }) => inline(message)),
      ...(unnamed > 0 ? [`… and ${unnamed} more ${unnamed === 1 ? 'file' : 'files'}; --json names all.`] : []),
    ];
    const head = holds ? 'The record holds.' : 'The record does not hold.';
    await terminal.print([head, ...wrong.map((line) => `- ${line}`), ''].join('\n'));
    if (report.copyOf !== null) await terminal.print(`This is a copy of the ledger in ${inline(report.copyOf)}.\n`);
    await terminal.print(`${renderTable(rows)}\n${notSeen}\n`);
  }
  return holds ? 0 : DOES_NOT_HOLD;
}

function toldOf({ compared, removed, wrong }: FilesReport): string {
  const gone = removed === 0 ? '' : `, those of ${counted(removed)} removed by age or size`;
  return `${compared} compared, ${wrong} wrong${gone}`;
}

/** What a chain cannot show. */
function notSeenOf(anchors: readonly Anchor[]): string {
  const kept = Math.max(0, ...anchors.map(({ seq }) => seq));
  const what = 'records that were cut off the end, and a ledger that was written anew';
  return kept === 0
    ? `Not seen: ${what}. Keep the last number and hash elsewhere, and give them to --expect.`
    : `Not seen, behind record ${kept}: ${what}.`;
}
