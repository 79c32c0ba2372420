/** Runs as a summary to paste into a ticket or a postmortem, in the order of time. */
import { describeInterruption } from '../../../engine/entry.ts';
import type { RunOutput } from '../../../core/ports.ts';
import { exitCodeOf } from '../../../core/run.ts';
import type { StoredRun } from '../../../core/run.ts';
import { formatDuration } from '../../../core/units.ts';
import { lookAtOutput } from '../../../engine/kept-output.ts';
import type { OutputPorts } from '../../../engine/kept-output.ts';
import { block, code } from '../../markdown.ts';
import type { Answer, ListedRun } from './answer.ts';
import { lastLines } from './last-lines.ts';
import type { HistoryOptions } from './options.ts';
import { outcomeOf, valuesOf, whoOf } from './table.ts';

const LINES = 10;
const CHARACTERS = 2000;

/**
 * In parts: the outputs of many runs need not be in memory.
 * @param nothing one sentence for where there are no runs
 */
export async function* summaryOf(
  { listed, more, search }: Answer,
  nothing: string,
  { incident }: HistoryOptions,
  ports: OutputPorts & { readonly output: RunOutput },
): AsyncGenerator<string> {
  const inOrder = listed.toReversed();
  yield `# ${incident === undefined ? 'Runs' : `Incident ${code(incident)}`}\n\n${headOf(inOrder, more, nothing)}\n`;
  if (inOrder.length === 0) return;
  yield '\n| Asked (UTC) | Runbook | With | Who | Outcome | Took | Run |\n|---|---|---|---|---|---|---|\n';
  for (const { run } of inOrder) yield `${rowOf(run)}\n`;
  if (search !== null) yield `\n## Lines with ${code(search.text)}\n`;
  if (search !== null) for (const listedRun of inOrder) yield foundIn(listedRun);
  const failed = inOrder.filter(({ run }) => needsWords(run));
  if (failed.length > 0) yield '\n## What went wrong\n';
  for (const { run } of failed) yield await wordsOf(run, ports);
}

function headOf(inOrder: readonly ListedRun[], more: boolean, nothing: string): string {
  const [first, last] = [inOrder.at(0)?.run, inOrder.at(-1)?.run];
  if (first === undefined || last === undefined) return nothing;
  const bad = inOrder.filter(({ run }) => needsWords(run)).length;
  const count = `${inOrder.length} ${inOrder.length === 1 ? 'run' : 'runs'}, ${bad} without success`;
  return `${count}, from ${first.enqueuedAt} to ${last.enqueuedAt}.${more ? ' There are older ones that are not shown here.' : ''}`;
}

/** Not of what is under way, nor of rehearsals. */
function needsWords({ result, rehearsal, state }: StoredRun): boolean {
  return !rehearsal && state !== 'queued' && state !== 'started' && result?.outcome !== 'succeeded';
}

function rowOf(run: StoredRun): string {
  const { result } = run;
  const cells = [
    run.enqueuedAt,
    code(run.runbook.name),
    run.variables.length === 0 ? '' : code(valuesOf(run)),
    code(`${whoOf(run)}${run.attested === undefined ? '' : `; attested by ${run.attested.by}`}`),
    result === null || exitCodeOf(result) === 0 ? outcomeOf(run) : `${outcomeOf(run)} (${exitCodeOf(result)})`,
    result === null ? '–' : formatDuration(result.durationMs),
    code(run.runId),
  ];
  return `| ${cells.join(' | ')} |`;
}

function foundIn({ run, lines, moreLines }: ListedRun): string {
  const shown = [...lines.map(({ text }) => text.replaceAll(/[\r\n]/g, ' ')), ...(moreLines ? ['…'] : [])];
  return `\n${code(run.runbook.name)}, ${code(run.runId)}:\n\n${block(shown.join('\n'))}`;
}

async function wordsOf(run: StoredRun, ports: OutputPorts & { readonly output: RunOutput }): Promise<string> {
  const reason =
    run.result?.reason ?? run.refusal?.message ?? (run.interruption ? describeInterruption(run.interruption) : null);
  const steps = run.result?.steps ?? [];
  const at = steps.findIndex(({ outcome }) => outcome !== 'succeeded' && outcome !== 'skipped');
  const step =
    steps.length > 1 && at >= 0 ? `, at step ${at + 1} of ${steps.length} (${code(steps[at]?.name ?? '')})` : '';
  const text = `\n### ${code(run.runbook.name)}, ${run.enqueuedAt}\n\n${outcomeOf(run)}${step}${reason === null ? '' : `: ${code(reason)}`}\n`;
  const { problem } = await lookAtOutput(ports, run);
  const head = `${text}${problem === null ? '' : `\n${code(problem.message)}\n`}`;
  const last = run.startedAt === null ? null : await lastLines(ports.output, run.runId, LINES, CHARACTERS);
  if (last === null) return head;
  return `${head}\n${last.isCut ? 'The end of its output' : 'Its output'}:\n\n${block(last.text)}`;
}
