/** A plan for a person: what is refused stands last, where the eye is. */
import { shellQuote } from '../core/contract.ts';
import { formatBytes, formatDuration } from '../core/units.ts';
import type { PlannedLimit, PlannedStep, PlannedVariable, RunPlan } from '../engine/planned.ts';
import { describeAlternatives } from './describe.ts';
import { inline, renderProblem, renderTable } from './render.ts';
import type { Style } from './render.ts';

/** Ends with a line break. */
export function planPage(style: Style, plan: RunPlan): string {
  const section = (title: string, lines: readonly string[]): string =>
    lines.length === 0 ? '' : `${style.bold(title)}\n${lines.map((line) => `  ${line}`).join('\n')}\n\n`;
  const table = (rows: readonly (readonly string[])[]): readonly string[] =>
    rows.length === 0 ? [] : renderTable(rows.map((row) => row.map(inline))).split('\n');
  return [
    section(plan.document === null ? 'Plan' : inline(plan.document.name), table(facts(plan))),
    section('Variables', table(plan.variables.map(variableRow))),
    section('Inputs', table(plan.inputs.map(({ path, found }) => [path, found]))),
    section(
      'Steps',
      plan.steps.flatMap((step, index) => stepLines(style, step, index)),
    ),
    section(
      'Limits',
      table(plan.limits.filter(({ value, declared }) => value !== null || declared !== null).map(limitRow)),
    ),
    section('The script finds', wrapped(plan.environment)),
    section('It would say', [...plan.infos, ...plan.warnings].map(inline)),
    section('Not known before', plan.unknown.map(inline)),
    section(
      'Refused',
      plan.refusals.flatMap((refusal) => refusalLines(style, plan, refusal)),
    ),
  ]
    .join('')
    .replace(/\n+$/, '\n');
}

function facts({
  document,
  who,
  claims,
  interpreters,
  containment,
  history,
  continues,
  choice,
  rehearsal,
}: RunPlan): readonly (readonly string[])[] {
  const { subject, roles, osUser } = who;
  const account = osUser === null ? '' : ` (${osUser} on this machine)`;
  const row = (name: string, text: string | null): readonly (readonly string[])[] =>
    text === null ? [] : [[name, text]];
  return [
    ...row('document', document && document.displayPath),
    ...row('digest', document && document.digest),
    ...row('commit', document && document.commit),
    ...row(
      'who',
      subject === null
        ? `nobody that a token names${account}`
        : `${subject}, roles ${roles.join(', ') || 'none'}${account}`,
    ),
    ...row('claims', claims && claimsText(claims)),
    ...row('rehearsal', rehearsal ? 'programs are stood in for' : null),
    ...row('steps', choice && `${choice.kind} “${choice.step}”`),
    ...row(
      'goes on from',
      continues &&
        `run ${continues.runId}${continues.obstacle === null ? '' : `, and takes nothing over: ${continues.obstacle}`}`,
    ),
    ...interpreters.map(({ name, path }) => [name, path ?? 'is not installed']),
    ...row(
      'containment',
      containment && [containment.rung, ...(containment.reaper === null ? [] : [`by ${containment.reaper}`])].join(' '),
    ),
    ...(containment?.refused ?? []).map((reason) => ['', `no higher rung: ${reason}`]),
    ...row('history', history && [history.mode, ...(history.reason === null ? [] : [history.reason])].join(': ')),
  ];
}

function claimsText({ required, answer, metBy }: NonNullable<RunPlan['claims']>): string {
  if (required === null) return 'none required';
  const needed = describeAlternatives(required);
  switch (answer) {
    case 'met':
      return `${describeAlternatives(metBy === null ? [] : [metBy])}: met`;
    case 'not asked':
      return `${needed}: not asked for in a rehearsal`;
    default:
      return `${needed}: ${answer}`;
  }
}

const SOURCES: Readonly<Record<PlannedVariable['source'], string>> = {
  given: 'given',
  'env-file': 'env file',
  environment: 'your environment',
  default: 'default',
  generated: 'made for the run',
  asked: 'asked for',
  passed: 'passed on',
  'would be asked': 'would be asked for',
  step: 'passed on',
  'earlier run': 'the earlier run',
  missing: 'missing',
};

function variableRow({ name, source, secret, declared, value, step }: PlannedVariable): readonly string[] {
  const from = step === null || source === 'missing' ? SOURCES[source] : `${SOURCES[source]} by “${step}”`;
  const shown = value === null ? (secret ? '(secret)' : '') : shellQuote(value);
  return [name, declared || step !== null ? from : `${from}, not declared`, shown];
}

function stepLines(style: Style, step: PlannedStep, index: number): readonly string[] {
  const { name, line, runs, argv, doneWhenArgv, timeoutMs, tty, manual, confirm, confirmTyping, confirmed, outputs } =
    step;
  const head = `${index + 1}. ${style.bold(inline(name))} ${style.dim(`line ${line}`)}`;
  if (runs === 'not asked for') return [`${head} ${style.dim('not asked for')}`];
  const by = confirmed ? ' (confirmed by --yes)' : '';
  const notes = [
    runs === 'unless done' ? 'unless it is done' : null,
    manual === null ? null : `by hand: ${manual}`,
    confirm === null ? null : `asks: ${confirm}${by}`,
    confirmTyping === null ? null : `asks for the value of ${confirmTyping}${by}`,
    timeoutMs === null ? null : `ends after ${formatDuration(timeoutMs)}`,
    tty ? 'has a terminal' : null,
    outputs.length === 0 ? null : `passes on ${outputs.join(', ')}`,
  ].filter((note) => note !== null);
  const command = (words: readonly string[] | null, before: string): readonly string[] =>
    words === null ? [] : [`   ${before}${inline(words.map(shellQuote).join(' '))}`];
  return [
    head,
    ...notes.map((note) => `   (${inline(note)})`),
    ...command(argv, ''),
    ...command(doneWhenArgv, style.dim('done when: ')),
  ];
}

function limitRow({ name, declared, value, from, held }: PlannedLimit): readonly string[] {
  const show = (number: number | null): string => {
    if (number === null) return 'none';
    if (name === 'timeout') return formatDuration(number);
    return ['output', 'memory', 'file size'].includes(name) ? formatBytes(number) : String(number);
  };
  const says = declared === null || declared === value ? '' : `, the runbook says ${show(declared)}`;
  const by = from === null ? '' : from === 'caller' ? 'by --timeout' : `by the ${from}`;
  return [name, show(value), `${by}${says}${held === false ? ', cannot be held here' : ''}`];
}

function refusalLines(
  style: Style,
  { document }: RunPlan,
  { code, message, fix, problems }: RunPlan['refusals'][number],
): readonly string[] {
  const file = document?.displayPath ?? '';
  return [
    ...problems.flatMap((problem) => renderProblem(style, file, problem).split('\n')),
    `${style.red(code)}: ${inline(message)}`,
    ...(fix === '' || fix === problems[0]?.fix ? [] : [`  fix: ${inline(fix)}`]),
  ];
}

const WIDTH = 76;

/** Names side by side, in lines that fit a terminal. */
function wrapped(names: readonly string[]): readonly string[] {
  const lines: string[] = [];
  for (const name of names) {
    const last = lines.at(-1);
    if (last === undefined || last.length + name.length >= WIDTH) lines.push(name);
    else lines[lines.length - 1] = `${last} ${name}`;
  }
  return lines.map(inline);
}
