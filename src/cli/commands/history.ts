/** `runbook history`: what the ledger knows, newest first; or one run with its steps and its output. */
import { RunbookError } from '../../core/errors.ts';
import type { KeptOutput } from '../../core/ports.ts';
import { exitCodeOf } from '../../core/run.ts';
import type { StepResult, StoredRun } from '../../core/run.ts';
import { formatDuration } from '../../core/units.ts';
import type { App } from '../../app.ts';
import { interruptionRows } from './history/interrupted.ts';
import { printJson, withApp } from '../context.ts';
import type { CommandContext, CommonOptions } from '../context.ts';
import { ChunkDecoder, keptTexts, printLong } from '../output.ts';
import { recoverRuns } from '../recovery.ts';
import { inline, printable, renderTable } from '../render.ts';
import type { Style } from '../render.ts';
import type { Terminal } from '../terminal.ts';

export interface HistoryOptions extends CommonOptions {
  readonly runbook?: string;
  readonly subject?: string;
  readonly outcome?: string;
  readonly limit?: string;
  readonly artifact?: string;
}

export async function historyCommand(
  terminal: Terminal,
  reference: string | undefined,
  options: HistoryOptions,
): Promise<number> {
  const limit = Number(options.limit ?? '20');
  if (!Number.isInteger(limit) || limit < 1 || limit > 10_000)
    throw new RunbookError('usage', '--limit is not a number from 1 to 10000.', { fix: 'Write `--limit 20`.' });
  return await withApp(terminal, options, async (context) => {
    if (reference === undefined && options.artifact !== undefined)
      throw new RunbookError('usage', '--artifact needs a run.', {
        fix: 'Write `runbook history RUN --artifact PATH`.',
      });
    await recoverRuns(terminal, context);
    if (reference !== undefined) return await showRun(terminal, options, context, reference);
    const ledger = await context.app.ledger();
    const { runbook, subject, outcome } = options;
    const byState = outcome === 'refused' || outcome === 'interrupted';
    const runs = await ledger.list({
      limit,
      ...(runbook === undefined ? {} : { runbook: runbook.replace(/\.md$/, '') }),
      ...(subject === undefined ? {} : { subject }),
      ...(outcome === undefined ? {} : byState ? { state: outcome } : { outcome }),
    });
    if (options.json === true) await printJson(terminal, 'history', { runs });
    else if (runs.length === 0) terminal.say('No runs are recorded.');
    else
      await terminal.print(
        `${renderTable([['WHEN', 'RUNBOOK', 'OUTCOME', 'EXIT', 'TOOK', 'WHO', 'RUN'], ...runs.map(row)])}\n`,
      );
    return 0;
  });
}

function row(run: StoredRun): readonly string[] {
  const { result } = run;
  return [
    run.enqueuedAt,
    inline(run.runbook.name),
    `${run.rehearsal ? 'rehearsal: ' : ''}${result?.outcome ?? (run.refusal === null ? run.state : `refused: ${run.refusal.code}`)}`,
    result === null ? '' : String(exitCodeOf(result)),
    result === null ? '' : formatDuration(result.durationMs),
    inline(run.who.subject ?? `${run.who.osUser ?? '?'} (no token)`),
    run.runId,
  ];
}

async function showRun(
  terminal: Terminal,
  options: HistoryOptions,
  { app, printStyle }: CommandContext,
  reference: string,
): Promise<number> {
  const ledger = await app.ledger();
  const [run, another] = await ledger.list({ idPrefix: reference.toUpperCase(), limit: 2 });
  if (run === undefined) {
    throw new RunbookError('not-found', `There is no run “${reference}” in the ledger.`, {
      fix: '`runbook history` shows the newest ones; `--state-dir` names another ledger.',
    });
  }
  if (another !== undefined) {
    throw new RunbookError('usage', `Several runs begin with “${reference}”.`, {
      fix: `Write more of the id, like ${run.runId}.`,
    });
  }
  if (options.artifact !== undefined) return await printArtifact(terminal, app, run, options.artifact);
  const entryPending = await ledger.isEntryPending(run.runId);
  const dropped = run.result?.output.dropped ?? 0;
  if (options.json === true) {
    const output = { ...keptTexts(app.output, run.runId), dropped };
    await printJson(terminal, 'history', { run, output, entryPending });
    return 0;
  }
  await terminal.print(`${facts(run, entryPending)}\n`);
  await printLong(terminal, outputText(app.output.read(run.runId), dropped, printStyle));
  return 0;
}

/** As it was kept, byte by byte. */
async function printArtifact(terminal: Terminal, { artifacts }: App, run: StoredRun, name: string): Promise<number> {
  const bytes = await artifacts.read(run.runId, name);
  if (bytes === null) {
    const kept = (run.result?.artifacts ?? []).filter((one) => one.kept).map(({ path }) => path);
    throw new RunbookError('not-found', `Run ${run.runId} has no artifact “${name}”.`, {
      fix: kept.length === 0 ? 'It kept none.' : `It kept ${kept.join(', ')}.`,
    });
  }
  await terminal.print(bytes);
  return 0;
}

function describeSteps({ from, only }: NonNullable<StoredRun['steps']>): string {
  return from === undefined ? `only “${only ?? ''}”` : `from “${from}”`;
}

const CONFIRMED = {
  answer: 'confirmed by an answer',
  typing: 'confirmed by typing',
  yes: 'confirmed by --yes',
} as const;

function describeStep({ name, outcome, durationMs, reason, confirmedBy }: StepResult): string {
  if (outcome === 'skipped') return `${name}: skipped${reason === undefined ? '' : `, ${reason}`}`;
  const confirmed = confirmedBy === undefined ? '' : `, ${CONFIRMED[confirmedBy]}`;
  return `${name}: ${outcome}, ${formatDuration(durationMs)}${confirmed}`;
}

/** Head, gap and tail as a person sees them; nothing where nothing is kept. */
async function* outputText(kept: AsyncIterable<KeptOutput>, dropped: number, style: Style): AsyncGenerator<string> {
  const decoder = new ChunkDecoder();
  const gap = (bytes: number): string => style.dim(`\n… ${bytes} bytes were not kept …\n`);
  let [isBegun, isGapTold] = [false, dropped === 0];
  for await (const item of kept) {
    if (!isBegun) yield `\n${style.bold('Output')}\n`;
    isBegun = true;
    if (item.kind === 'gap') yield gap(item.dropped);
    if (item.kind === 'chunk') for (const text of decoder.decode(item)) yield printable(text.replaceAll('\r\n', '\n'));
    isGapTold ||= item.kind === 'gap';
  }
  yield decoder.end();
  // The disk had no room for the end, or the kept output is gone by now.
  if (!isGapTold) yield gap(dropped);
}

function facts(run: StoredRun, entryPending: boolean): string {
  const { result, refusal, who, runbook } = run;
  const git =
    runbook.gitCommit === undefined
      ? ''
      : ` at ${runbook.gitCommit.slice(0, 12)}${runbook.gitDirty === true ? ', changed since' : ''}`;
  const identity =
    who.subject === null
      ? 'no token'
      : `${who.subject}${who.roles.length > 0 ? ` (${who.roles.join(', ')})` : ''} of ${who.issuer ?? 'no issuer'}${who.selfMade ? ', self-made token' : ''}`;
  const rows: (readonly [string, string])[] = [
    ['run', run.runId],
    ['runbook', `${runbook.name}${git}`],
    ['document', runbook.path ?? 'not found'],
    ['digest', runbook.digest ?? 'none'],
    ['who', `${identity}; ${who.osUser ?? 'unknown user'}@${who.host ?? ''} by ${run.source}`],
    ['asked', run.enqueuedAt],
    [
      'state',
      `${run.state}${run.rehearsal ? ', a rehearsal: no claims were asked for, and its outcome does not count' : ''}`,
    ],
  ];
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
  if (result !== null) {
    rows.push([
      'outcome',
      `${result.outcome}, exit ${exitCodeOf(result)}, ${formatDuration(result.durationMs)}${result.reason === null ? '' : `: ${result.reason}`}`,
    ]);
    for (const step of result.steps)
      if (result.steps.length > 1 || step.confirmedBy !== undefined) rows.push(['step', describeStep(step)]);
    if (result.workFolder !== null) rows.push(['kept', result.workFolder]);
    rows.push(['containment', containmentOf(run)]);
    for (const { path, bytes, kept, reason: why } of result.artifacts)
      rows.push(['artifact', kept ? `${path}, ${bytes} bytes` : `${path}: not kept, because ${why ?? 'it is gone'}`]);
    rows.push([
      'output',
      `${result.output.bytes} bytes, ${result.output.dropped} not kept, sha256 ${result.output.digest}`,
    ]);
  }
  rows.push(...interruptionRows(run));
  if (run.interruption !== undefined) rows.push(['containment', containmentOf(run)]);
  if (entryPending) rows.push(['entry', 'pending: it is written into the document when that can be written']);
  rows.push(['record', `${run.seq}, ${run.hash}`]);
  return renderTable(rows.map(([name, text]) => [name, inline(text)]));
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
