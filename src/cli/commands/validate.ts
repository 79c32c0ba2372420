/** `runbook validate`: every problem of every document at once; exit 65 if one of them is invalid. */
import type { Problem } from '../../core/runbook.ts';
import { withoutCommands } from '../../core/workflow-commands.ts';
import { strictly, validateDocument, validateRunbook } from '../../engine/queries.ts';
import type { Validation } from '../../engine/queries.ts';
import { jsonPieces, withApp } from '../context.ts';
import type { CommandContext } from '../context.ts';
import { inline } from '../render.ts';
import type { Style } from '../render.ts';
import type { Terminal } from '../terminal.ts';
import { referencesOf } from './validate/documents.ts';
import { formatOf, isStdout, printsDocument, STDIN } from './validate/options.ts';
import type { Format, ValidateOptions } from './validate/options.ts';
import { exitCodeOf, textReport, verdict } from './validate/text.ts';
import { isActionsJob, workspacePaths } from './validate/workspace.ts';

interface Checked {
  readonly validation: Validation;
  /** Null: nothing was to be repaired. */
  readonly fixed: readonly Problem[] | null;
}

export async function validateCommand(
  terminal: Terminal,
  documents: readonly string[],
  options: ValidateOptions,
): Promise<number> {
  const format = formatOf(options);
  const isFilter = printsDocument(documents, options, format);
  const file =
    options.output === undefined || isStdout(options.output)
      ? null
      : (await import('./validate/report-file.ts')).prepareReportFile(options.output, terminal.cwd);
  return await withApp(terminal, options, async (context) => {
    if (options.watch === true) {
      const { watch } = await import('./validate/watch.ts');
      return await watch(terminal, context, documents, options);
    }
    const checked = await checkAll(terminal, context, documents, options);
    const results = checked.map(({ validation }) => validation);
    if (file === null) {
      const text = await reportOf(terminal, isFilter ? context.style : context.printStyle, format, checked);
      if (isFilter && text !== '') terminal.say(text.trimEnd());
      else if (options.dryRun !== true && text !== '') await terminal.print(text);
    } else {
      const { writeReport } = await import('./validate/report-file.ts');
      await writeReport(file, options.output ?? '', await reportOf(terminal, plainStyle(), format, checked));
    }
    if (format === 'text' && isActionsJob(terminal)) {
      const { annotations } = await import('./validate/github.ts');
      for (const line of annotations(results, workspacePaths(terminal))) terminal.say(line.trimEnd());
    }
    const isForPeople = format === 'text' || file !== null;
    if (options.quiet !== true && isForPeople) sayOutcome(terminal, context.style, checked, options.dryRun === true);
    return exitCodeOf(results);
  });
}

async function checkAll(
  terminal: Terminal,
  { app }: CommandContext,
  documents: readonly string[],
  options: ValidateOptions,
): Promise<readonly Checked[]> {
  const isReady = options.ready === true;
  const judged = (validation: Validation): Validation => (options.strict === true ? strictly(validation) : validation);
  const checked: Checked[] = [];
  for (const reference of await referencesOf(app, documents, terminal.cwd)) {
    if (reference === STDIN) {
      checked.push(await checkStdin(terminal, app, options, judged));
    } else if (options.fix === true) {
      const { repair, printDifference } = await import('./validate/repair.ts');
      const repaired = await repair(app, reference, isReady, options.dryRun === true);
      await printDifference(terminal, repaired);
      checked.push({ validation: judged(repaired.validation), fixed: repaired.fixed });
    } else {
      checked.push({ validation: judged(await validateRunbook(app, reference, isReady)), fixed: null });
    }
  }
  return checked;
}

async function checkStdin(
  terminal: Terminal,
  app: CommandContext['app'],
  { ready: isReady = false, fix: isFix = false, dryRun: isDry = false }: ValidateOptions,
  judged: (validation: Validation) => Validation,
): Promise<Checked> {
  const { readStdinDocument } = await import('./validate/stdin.ts');
  const document = await readStdinDocument(terminal);
  if (!isFix) return { validation: judged(await validateDocument(app, document, isReady)), fixed: null };
  const { repairThrough, printDifference } = await import('./validate/repair.ts');
  const repaired = await repairThrough(app, terminal, document, isReady, isDry);
  await printDifference(terminal, repaired);
  return { validation: judged(repaired.validation), fixed: repaired.fixed };
}

async function reportOf(
  terminal: Terminal,
  style: Style,
  format: Format,
  checked: readonly Checked[],
): Promise<string> {
  const results = checked.map(({ validation }) => validation);
  const place = workspacePaths(terminal);
  switch (format) {
    case 'json':
      return await asJson(checked);
    case 'sarif':
      return (await import('./validate/sarif.ts')).sarifReport(results, place);
    case 'junit':
      return (await import('./validate/junit.ts')).junitReport(results, place);
    case 'github':
      return (await import('./validate/github.ts')).annotations(results, place).join('');
    case 'text':
      return textReport(style, results, isActionsJob(terminal));
  }
}

async function asJson(checked: readonly Checked[]): Promise<string> {
  const documents = checked.map(({ validation: { displayPath, ...result }, fixed }) => ({
    path: displayPath,
    ...result,
    ...(fixed !== null && { fixed }),
  }));
  const valid = checked.every(({ validation }) => validation.valid);
  return (await Array.fromAsync(jsonPieces('validate', { valid, documents }))).join('');
}

function plainStyle(): Style {
  const same = (text: string): string => text;
  return { bold: same, dim: same, red: same, green: same, yellow: same };
}

function sayOutcome(terminal: Terminal, style: Style, checked: readonly Checked[], isDry: boolean): void {
  const isJob = isActionsJob(terminal);
  for (const { validation, fixed } of checked) {
    for (const { line, message, rule } of fixed ?? []) {
      const what = isDry ? 'would be fixed' : 'fixed';
      const text = `${inline(validation.displayPath)}:${line}: ${what}: ${inline(message)} (${rule})`;
      terminal.say(isJob ? withoutCommands(text) : text);
    }
  }
  terminal.say(
    verdict(
      style,
      checked.map(({ validation }) => validation),
    ),
  );
}
