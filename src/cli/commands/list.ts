/** `runbook list`: one line a runbook; invalid ones are named as such and never hidden. */
import { endOf } from '../../core/latest-run.ts';
import type { LatestRun } from '../../core/ports.ts';
import { findRunbooks } from '../../engine/listing.ts';
import type { ListedRunbook, Listing, ListOrder } from '../../engine/listing.ts';
import { printJson, withApp } from '../context.ts';
import type { CommonOptions } from '../context.ts';
import { describeAge, describeAlternatives, shorten, summaryOf } from '../describe.ts';
import { inline, renderTable } from '../render.ts';
import type { Style } from '../render.ts';
import { fitTable } from '../table.ts';
import type { Terminal } from '../terminal.ts';

export interface ListOptions extends CommonOptions {
  readonly search?: readonly string[];
  readonly tag?: readonly string[];
  readonly owner?: readonly string[];
  readonly alert?: readonly string[];
  readonly sort?: Exclude<ListOrder, 'best'>;
}

/** Columns of a terminal that each has at least where lines are cut. */
const LEAST_NAME = 16;
const LEAST_WHO = 12;
const LEAST_WHAT = 16;

export async function listCommand(terminal: Terminal, options: ListOptions): Promise<number> {
  const { search = [], tag: tags = [], owner: owners = [], alert: alerts = [] } = options;
  return await withApp(terminal, options, async ({ app, style, printStyle }) => {
    const order = options.sort ?? (search.length === 0 ? 'name' : 'best');
    const listing = await findRunbooks(app, { search, tags, owners, alerts }, order);
    if (options.json === true) await printJson(terminal, 'list', { runbooks: listing.runbooks.map(asJson) });
    else if (listing.runbooks.length > 0)
      await terminal.print(`${table(listing.runbooks, app.clock.now(), printStyle, terminal.columns)}\n`);
    for (const message of options.quiet === true ? [] : messages(listing)) terminal.say(style.dim(message));
    return 0;
  });
}

function* messages({ runbooks, unknown, of, unreadable }: Listing): Generator<string> {
  if (of === 0) yield 'There are no runbooks in this folder.';
  else if (runbooks.length === 0) yield 'No runbook fits; `runbook list` shows all of them.';
  if (unknown.length > 0) {
    const what = unknown.length === 1 ? 'One document is' : `${unknown.length} documents are`;
    yield `${what} not valid, so whether it fits is not known: ${inline(shorten(unknown.join(', '), 200))}.`;
  }
  if (unreadable !== null) yield `How they ran is not known: ${inline(unreadable.message)}`;
}

function table(runbooks: readonly ListedRunbook[], now: Date, style: Style, columns: number | null): string {
  const rows = runbooks.map((one) => row(one, now));
  const heads = ['NAME', 'KIND', 'LAST', 'WHO', 'WHAT'];
  if (columns === null) return renderTable([heads, ...rows]);
  const fitted = fitTable([heads, ...rows], columns, { 4: LEAST_WHAT, 3: LEAST_WHO, 0: LEAST_NAME });
  return fitted.map((line, index) => paint(line, runbooks[index - 1]?.last ?? null, style)).join('\n');
}

function row({ name, view, last }: ListedRunbook, now: Date): readonly string[] {
  const runbook = view.parsed?.runbook ?? null;
  const shown = inline(name);
  const past = last === null ? '-' : `${endOf(last)} ${describeAge(last.finishedAt ?? last.startedAt, now)}`;
  if (runbook === null) return [shown, 'invalid', past, '', `\`runbook validate ${shown}\` says why`];
  const { steps, kind, claims, description } = runbook;
  return [
    shown,
    kind === 'steps' ? `${steps.length} ${steps.length === 1 ? 'step' : 'steps'}` : 'script',
    past,
    claims === null ? 'anybody here' : inline(describeAlternatives(claims)),
    inline(summaryOf(description)),
  ];
}

/** What did not succeed catches the eye. */
function paint(line: string, last: LatestRun | null, style: Style): string {
  const end = last === null ? null : endOf(last);
  if (end === null || end === 'succeeded') return line;
  return line.replace(` ${end} `, ` ${end === 'started' ? style.green(end) : style.red(end)} `);
}

function asJson({ name, view, last }: ListedRunbook): Record<string, unknown> {
  const runbook = view.parsed?.runbook ?? null;
  return {
    name,
    path: view.displayPath,
    title: view.parsed?.title ?? null,
    valid: runbook !== null,
    errors:
      view.problem === null ? (view.parsed?.problems.filter((problem) => problem.severity === 'error').length ?? 0) : 1,
    kind: runbook?.kind ?? null,
    steps: runbook?.steps.length ?? null,
    description: runbook?.description ?? null,
    claims: runbook?.claims ?? null,
    metadata: runbook?.metadata ?? null,
    digest: view.parsed?.digest ?? null,
    last: last === null ? null : lastAsJson(last),
  };
}

function lastAsJson({ runId, state, outcome, startedAt, finishedAt }: LatestRun): Record<string, unknown> {
  return { runId, state, outcome, startedAt, finishedAt };
}
