/** What is known of one run, as a table for a person. */
import { placeOf } from '../../../core/interruption.ts';
import type { StoredOperation } from '../../../core/ports.ts';
import { exitCodeOf } from '../../../core/run.ts';
import type { Attestation, NotedProgress, StoredRun } from '../../../core/run.ts';
import { formatDuration } from '../../../core/units.ts';
import type { OutputLook } from '../../../engine/kept-output.ts';
import { describeWho } from '../../describe.ts';
import { inline, renderTable } from '../../render.ts';
import { interruptionRows, keptRows } from './interrupted.ts';
import { rowsSoFar, stepRow } from './steps.ts';

/** What is known of a run besides its record. */
export interface Known {
  readonly entryPending: boolean;
  readonly look: OutputLook;
  /** Who wanted it to end, oldest first. */
  readonly cancels: readonly StoredOperation[];
  /** What was answered to its questions from elsewhere, oldest first. */
  readonly answers: readonly StoredOperation[];
  /** Of a run that is under way; null before its first step, and of any other. */
  readonly progress: NotedProgress | null;
}

export function factsOf(run: StoredRun, known: Known): string {
  return renderTable(rowsOf(run, known).map(([name, text]) => [name, inline(text)]));
}

/** Names may come several times; texts may hold any character. */
export function rowsOf(
  run: StoredRun,
  { entryPending, look, cancels, answers, progress }: Known,
): readonly (readonly [name: string, text: string])[] {
  const { result, refusal, who, runbook } = run;
  const git =
    runbook.gitCommit === undefined
      ? ''
      : ` at ${runbook.gitCommit.slice(0, 12)}${runbook.gitDirty === true ? ', changed since' : ''}`;
  const identity =
    who.subject === null
      ? 'no token'
      : `${who.subject}${who.roles.length > 0 ? ` (${who.roles.join(', ')})` : ''} of ${who.issuer ?? 'no issuer'}${who.selfMade ? ', self-made token' : ''}`;
  const from = who.address === null ? '' : ` from ${who.address}`;
  const rows: (readonly [string, string])[] = [
    ['run', run.runId],
    ['runbook', `${runbook.name}${git}`],
    ['document', runbook.path ?? 'not found'],
    ['digest', runbook.digest ?? 'none'],
    ['who', `${identity}; ${who.osUser ?? 'unknown user'}@${who.host ?? ''}${from} by ${run.source}`],
    ['asked', run.enqueuedAt],
    [
      'state',
      `${run.state}${result !== null && run.startedAt === null ? ' before it began' : ''}${run.rehearsal ? ', a rehearsal: no claims were asked for, and its outcome does not count' : ''}`,
    ],
  ];
  if (run.attested !== undefined) rows.push(['attested', describeAttestation(run.attested)]);
  if (refusal !== null) rows.push(['refused', `${refusal.code}: ${refusal.message}`]);
  if (run.continues !== undefined) rows.push(['continues', run.continues]);
  if (run.steps !== undefined) rows.push(['steps', describeSteps(run.steps)]);
  if (run.incident !== null) rows.push(['incident', run.incident]);
  if (run.callChain.length > 0) rows.push(['called by', run.callChain.join(' → ')]);
  for (const variable of run.variables)
    rows.push([
      'variable',
      `${variable.name}${variable.value === undefined ? '' : ` = ${variable.value}`} (${variable.origin})`,
    ]);
  for (const { at, who: by, reason } of cancels)
    rows.push(['cancel', `asked for at ${at} by ${describeWho(by)}${reason === null ? '' : `: ${reason}`}`]);
  for (const { at, who: by, answer } of answers)
    if (answer !== undefined)
      rows.push(['answer', `${answer.answer} to step ${answer.step} at ${at} by ${describeWho(by)}`]);
  if (result !== null) {
    rows.push([
      'outcome',
      `${result.outcome}, exit ${exitCodeOf(result)}, ${formatDuration(result.durationMs)}${result.reason === null ? '' : `: ${result.reason}`}`,
    ]);
    for (const step of result.steps)
      if (result.steps.length > 1 || step.confirmedBy !== undefined) rows.push(stepRow(step));
    if (run.attested === undefined) rows.push(...keptRows(result.workFolder));
    // Nothing was started that something could hold.
    if (run.startedAt !== null) rows.push(['containment', containmentOf(run)]);
    for (const { path, bytes, kept, reason: why } of result.artifacts)
      rows.push(['artifact', kept ? `${path}, ${bytes} bytes` : `${path}: not kept, because ${why ?? 'it is gone'}`]);
    rows.push([
      'output',
      `${result.output.bytes} bytes, ${result.output.dropped} not kept, sha256 ${result.output.digest}`,
    ]);
    if (run.attested !== undefined && result.output.bytes > 0) rows.push(['output', elsewhere(run)]);
  }
  rows.push(...rowsSoFar(placeOf(progress), 'under way'), ...interruptionRows(run));
  if (result?.output.lost !== undefined) rows.push(['warning', result.output.lost]);
  if (look.problem !== null) rows.push(['warning', look.problem.message]);
  if (run.interruption !== undefined) rows.push(['containment', containmentOf(run)]);
  if (entryPending) rows.push(['entry', 'pending: it is written into the document when that can be written']);
  rows.push(['record', `${run.seq}, ${run.hash}`]);
  return rows;
}

/** `by anna of https://login.example at … from 192.0.2.7` */
function describeAttestation({ by, issuer, at, host, withoutDocument }: Attestation): string {
  const without = withoutDocument === true ? '; the text of its document did not come along' : '';
  return `by ${by} of ${issuer ?? 'no issuer'} at ${at} from ${host}: it took place elsewhere, and nobody here has seen it${without}`;
}

function elsewhere({ runId, who }: StoredRun): string {
  return `it is kept where it ran: \`runbook history ${runId}\` on ${who.host ?? 'that machine'} shows it`;
}

/** `reaper (perl), proven` */
function containmentOf({ containment, result }: StoredRun): string {
  const rung =
    containment === null
      ? 'none'
      : `${containment.rung}${containment.reaper === null ? '' : ` (${containment.reaper})`}`;
  const proof = result?.containment;
  return proof === undefined ? rung : `${rung}, ${proof.claim}${proof.reason === null ? '' : `: ${proof.reason}`}`;
}

function describeSteps({ from, only }: NonNullable<StoredRun['steps']>): string {
  return from === undefined ? `only “${only ?? ''}”` : `from “${from}”`;
}
