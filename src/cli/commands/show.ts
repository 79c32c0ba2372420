/** `runbook show`: what a runbook is, what it needs, who may run it, and its steps. */
import type { Problem, Runbook, Script, Step } from '../../core/runbook.ts';
import { ERRORS, RunbookError } from '../../core/errors.ts';
import { formatDuration } from '../../core/units.ts';
import { showRunbook } from '../../engine/queries.ts';
import { printJson, withApp } from '../context.ts';
import type { CommonOptions } from '../context.ts';
import { describeAlternatives, describeLimits } from '../describe.ts';
import { inline, printable, renderProblem, renderTable } from '../render.ts';
import type { Style } from '../render.ts';
import type { Terminal } from '../terminal.ts';

export interface ShowOptions extends CommonOptions {
  readonly html?: boolean;
}

export async function showCommand(terminal: Terminal, reference: string, options: ShowOptions): Promise<number> {
  if (options.html === true && options.json === true) {
    throw new RunbookError('usage', '--html and --json are both given.', { fix: 'Give one of them.' });
  }
  return await withApp(terminal, options, async ({ app, style, printStyle }) => {
    const { document, parsed } = await showRunbook(app, reference);
    if (options.html === true) {
      const { renderHtml } = await import('../html.ts');
      const text = document.bytes.subarray(0, parsed.historyOffset ?? document.bytes.length).toString('utf8');
      await terminal.print(renderHtml(parsed.title ?? document.fileName, text));
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
    if (parsed.runbook === null) throw invalid(document.displayPath, parsed.problems);
    await terminal.print(`${page(printStyle, document.displayPath, parsed.runbook)}\n`);
    for (const problem of parsed.problems) terminal.say(renderProblem(style, document.displayPath, problem));
    return 0;
  });
}

function invalid(document: string, problems: readonly Problem[]): RunbookError {
  return new RunbookError('runbook-invalid', `${document} is not a valid runbook.`, {
    fix: 'Correct what is named; the document itself can be read with any pager.',
    problems,
    document,
  });
}

function page(style: Style, displayPath: string, runbook: Runbook): string {
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
    runbook.description === '' ? '' : `\n${printable(runbook.description)}\n`,
    `\n${table(facts).join('\n')}\n`,
    section('Variables', variables.length === 0 ? [] : table(variables)),
    section(
      'Files',
      runbook.files.map((file) => `${file.direction}  ${inline(file.path)}`),
    ),
    section(
      runbook.kind === 'steps' ? 'Steps' : 'Script',
      runbook.steps.flatMap((step, index) => stepLines(style, runbook, step, index)),
    ),
  ]
    .join('')
    .trimEnd();
}

function stepLines(style: Style, runbook: Runbook, step: Step, index: number): readonly string[] {
  const notes = [
    step.confirm === undefined ? null : `asks: ${step.confirm}`,
    step.confirmTyping === undefined ? null : `asks for the value of ${step.confirmTyping}`,
    step.timeoutMs === undefined ? null : `ends after ${formatDuration(step.timeoutMs)}`,
    step.outputs.length === 0 ? null : `passes on ${step.outputs.join(', ')}`,
    step.manual === undefined ? null : `by hand: ${step.manual}`,
  ].filter((note) => note !== null);
  const part = (title: string, script: Script | null | undefined): readonly string[] =>
    script === null || script === undefined
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
