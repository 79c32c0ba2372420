/** `runbook show`: what a runbook is, what it needs, who may run it, and its steps. */
import type { Problem, Runbook, Script, Step } from '../../core/runbook.ts';
import { ERRORS, RunbookError } from '../../core/errors.ts';
import { formatDuration } from '../../core/units.ts';
import { stepNamed } from '../../core/step-choice.ts';
import { showRunbook } from '../../engine/queries.ts';
import { printJson, withApp } from '../context.ts';
import type { CommonOptions } from '../context.ts';
import { describeAlternatives, describeLimits } from '../describe.ts';
import { inline, printable, renderProblem, renderTable } from '../render.ts';
import type { Style } from '../render.ts';
import type { Terminal } from '../terminal.ts';

export interface ShowOptions extends CommonOptions {
  readonly html?: boolean;
  readonly raw?: boolean;
  readonly summary?: boolean;
  readonly step?: string;
  readonly history?: boolean;
  /** False: `--no-pager`. */
  readonly pager?: boolean;
}

/** Of a line that is read, where nobody says how long it may be. */
const WIDTH = 80;

export async function showCommand(terminal: Terminal, reference: string, options: ShowOptions): Promise<number> {
  refuseSeveralForms(options);
  const { history: withHistory, ...common } = options;
  return await withApp(terminal, common, async ({ app, style, printStyle }) => {
    const { document, parsed } = await showRunbook(
      app,
      reference,
      withHistory === true || options.raw === true ? 'whole' : undefined,
    );
    const shown = withHistory === true ? document.bytes : document.bytes.subarray(0, parsed.historyOffset ?? undefined);
    if (options.raw === true) {
      await terminal.print(document.bytes);
      return 0;
    }
    if (options.html === true) {
      const { renderHtml } = await import('../html.ts');
      await terminal.print(renderHtml(parsed.title ?? document.fileName, shown.toString('utf8')));
      return 0;
    }
    if (options.json === true) {
      await printJson(terminal, 'show', {
        path: document.displayPath,
        digest: parsed.digest,
        valid: parsed.runbook !== null,
        runbook: parsed.runbook,
        problems: parsed.problems,
      });
      return parsed.runbook === null ? ERRORS['runbook-invalid'].exit : 0;
    }
    const { runbook } = parsed;
    if (runbook === null) throw invalid(document.displayPath, parsed.problems);
    const text = await pageOf(options, runbook, document.displayPath, shown.toString('utf8'), printStyle, terminal);
    const { page } = await import('../pager.ts');
    await page(terminal, `${text}\n`, options.pager !== false);
    const warnings = options.quiet === true ? [] : parsed.problems;
    for (const problem of warnings) terminal.say(renderProblem(style, document.displayPath, problem));
    return 0;
  });
}

/** One step; the summary with all scripts; or the summary, and the document behind it. */
async function pageOf(
  { step, summary: isShort }: ShowOptions,
  runbook: Runbook,
  displayPath: string,
  text: string,
  style: Style,
  terminal: Terminal,
): Promise<string> {
  if (step !== undefined) {
    const index = stepNamed(runbook, step, '--step');
    const found = runbook.steps[index];
    return found === undefined ? '' : stepLines(style, runbook, found, index, true).join('\n');
  }
  if (isShort === true) return summary(style, displayPath, runbook, true);
  const { renderMarkdown } = await import('../terminal-markdown.ts');
  const width = Math.min(terminal.columns ?? WIDTH, MOST_WIDTH);
  const rule = style.dim('═'.repeat(width));
  return `${summary(style, displayPath, runbook, false)}\n\n${rule}\n${renderMarkdown(text, style, width)}`;
}
/** Longer lines are hard to read. */
const MOST_WIDTH = 100;

function refuseSeveralForms(options: ShowOptions): void {
  const given = (['html', 'json', 'raw', 'summary', 'step'] as const).filter(
    (name) => options[name] !== undefined && options[name] !== false,
  );
  const [first, second] = given;
  if (second === undefined) return;
  throw new RunbookError('usage', `--${first} and --${second} are both given.`, { fix: 'Give one of them.' });
}

function invalid(document: string, problems: readonly Problem[]): RunbookError {
  return new RunbookError('runbook-invalid', `${document} is not a valid runbook.`, {
    fix: 'Correct what is named; `runbook show --raw` prints the document as it is.',
    problems,
    document,
  });
}

/** @param isWhole with description and scripts, which else stand in the document below */
function summary(style: Style, displayPath: string, runbook: Runbook, isWhole: boolean): string {
  const { metadata } = runbook;
  const section = (title: string, lines: readonly string[]): string =>
    lines.length === 0 ? '' : `\n${style.bold(title)}\n${lines.map((line) => `  ${line}`).join('\n')}\n`;
  const facts = [
    ['document', displayPath],
    ['digest', runbook.digest],
    ...(metadata.owner === undefined ? [] : [['owner', metadata.owner]]),
    ...(metadata.service === undefined ? [] : [['service', metadata.service]]),
    ...(metadata.severity === undefined ? [] : [['severity', metadata.severity]]),
    ...(metadata.tags.length === 0 ? [] : [['tags', metadata.tags.join(', ')]]),
    ...(metadata.alerts.length === 0 ? [] : [['alerts', metadata.alerts.join(', ')]]),
    ...(metadata.reviewBy === undefined ? [] : [['review by', metadata.reviewBy]]),
    ['who', runbook.claims === null ? 'anybody on this machine' : describeAlternatives(runbook.claims)],
    ...describeLimits(runbook.limits).map((limit) => ['limit', limit]),
  ];
  const variables = runbook.env.map((variable) => {
    const form = variable.choices === undefined ? variable.type : variable.choices.join(' | ');
    const extra = [
      variable.secret ? 'secret' : '',
      variable.generate === undefined ? '' : 'made for each run',
      variable.default === undefined ? '' : `default ${variable.default}`,
    ].filter((text) => text !== '');
    return [variable.name, form, extra.join(', '), variable.description];
  });
  const table = (rows: readonly (readonly string[])[]): readonly string[] =>
    renderTable(rows.map((row) => row.map(inline))).split('\n');
  return [
    style.bold(inline(runbook.title)),
    isWhole && runbook.description !== '' ? `\n${printable(runbook.description)}\n` : '',
    `\n${table(facts).join('\n')}\n`,
    section('Variables', variables.length === 0 ? [] : table(variables)),
    section(
      'Files',
      runbook.files.map((file) => `${file.direction}  ${inline(file.path)}`),
    ),
    section(
      runbook.kind === 'steps' ? 'Steps' : 'Script',
      isWhole || runbook.kind === 'steps'
        ? runbook.steps.flatMap((step, index) => stepLines(style, runbook, step, index, isWhole))
        : [],
    ),
  ]
    .join('')
    .trimEnd();
}

function stepLines(style: Style, runbook: Runbook, step: Step, index: number, isWhole: boolean): readonly string[] {
  const notes = [
    step.confirm === undefined ? null : `asks: ${step.confirm}`,
    step.confirmTyping === undefined ? null : `asks for the value of ${step.confirmTyping}`,
    step.timeoutMs === undefined ? null : `ends after ${formatDuration(step.timeoutMs)}`,
    step.outputs.length === 0 ? null : `passes on ${step.outputs.join(', ')}`,
    step.manual === undefined ? null : `by hand: ${step.manual}`,
  ].filter((note) => note !== null);
  const part = (title: string, script: Script | null | undefined): readonly string[] =>
    script === null || script === undefined || !isWhole
      ? []
      : [
          `   ${style.dim(`${title}${script.interpreter}`)}`,
          ...printable(script.body)
            .split('\n')
            .map((line) => `     ${line}`),
        ];
  return [
    ...(runbook.kind === 'steps' ? [`${index + 1}. ${style.bold(inline(step.name))}`] : []),
    ...notes.map((note) => `   (${inline(note)})`),
    ...part('', step.script),
    ...part('done when: ', step.doneWhen),
    ...part('rollback: ', step.rollback),
  ];
}
