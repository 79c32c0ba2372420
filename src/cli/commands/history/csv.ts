/** Runs as CSV after RFC 4180: one row each, with a header; UTF-8 without a byte order mark. */
import { describeInterruption } from '../../../engine/entry.ts';
import { recordedOutput } from '../../../engine/intact.ts';
import { exitCodeOf } from '../../../core/run.ts';
import { inline } from '../../render.ts';
import type { ListedRun } from './answer.ts';
import { outcomesOf } from './steps.ts';
import { outcomeOf, valuesOf } from './table.ts';

type Cell = string | number | boolean | null | undefined;

const COLUMNS: Readonly<Record<string, (listed: ListedRun) => Cell>> = {
  run: ({ run }) => run.runId,
  asked_at: ({ run }) => run.enqueuedAt,
  started_at: ({ run }) => run.startedAt,
  finished_at: ({ run }) => run.result?.finishedAt ?? run.interruption?.at,
  duration_ms: ({ run }) => run.result?.durationMs,
  runbook: ({ run }) => run.runbook.name,
  document: ({ run }) => run.runbook.path,
  digest: ({ run }) => run.runbook.digest,
  git_commit: ({ run }) => run.runbook.gitCommit,
  git_dirty: ({ run }) => run.runbook.gitDirty,
  subject: ({ run }) => run.who.subject,
  roles: ({ run }) => run.who.roles.join(' '),
  issuer: ({ run }) => run.who.issuer,
  self_made_token: ({ run }) => run.who.selfMade,
  os_user: ({ run }) => run.who.osUser,
  host: ({ run }) => run.who.host,
  address: ({ run }) => run.who.address,
  source: ({ run }) => run.source,
  incident: ({ run }) => run.incident,
  rehearsal: ({ run }) => run.rehearsal,
  state: ({ run }) => run.state,
  outcome: ({ run }) => (run.result !== null && run.startedAt === null ? outcomeOf(run) : run.result?.outcome),
  exit_code: ({ run }) => (run.result === null ? null : exitCodeOf(run.result)),
  signal: ({ run }) => run.result?.signal,
  refused_as: ({ run }) => run.refusal?.code,
  reason: ({ run }) =>
    run.result?.reason ?? run.refusal?.message ?? (run.interruption && describeInterruption(run.interruption)),
  steps: ({ run }) =>
    outcomesOf(run)
      .map(({ name, outcome }) => `${name}: ${outcome}`)
      .join('; '),
  continues: ({ run }) => run.continues,
  called_by: ({ run }) => run.callChain.join(' > '),
  output_bytes: ({ run }) => recordedOutput(run)?.bytes,
  found: ({ lines }) => lines[0]?.text,
  seq: ({ run }) => run.seq,
  hash: ({ run }) => run.hash,
  variables: ({ run }) => valuesOf(run),
  attested_by: ({ run }) => run.attested?.by,
  attested_issuer: ({ run }) => run.attested?.issuer,
  attested_at: ({ run }) => run.attested?.at,
  attested_host: ({ run }) => run.attested?.host,
};

export function csvOf(listed: readonly ListedRun[]): string {
  const rows = [Object.keys(COLUMNS), ...listed.map((one) => Object.values(COLUMNS).map((cell) => cell(one)))];
  return rows.map((row) => `${row.map(csvCell).join(',')}\r\n`).join('');
}

/**
 * Numbers and yes or no as they are. Text stays on one line, with what could move a cursor escaped, and what a
 * spreadsheet would take for a formula begins with an apostrophe (OWASP, CSV injection).
 */
export function csvCell(value: Cell): string {
  if (value === null || value === undefined) return '';
  if (typeof value !== 'string') return String(value);
  const isFormula = /^[\s\p{Cc}\p{Cf}]*[=+\-@＝＋－＠]|^[\t\r\n]/u.test(value);
  const text = `${isFormula ? "'" : ''}${inline(value)}`;
  return /[",;]|^'|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
