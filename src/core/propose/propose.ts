/** A page of a wiki → a proposal for a runbook. It always validates; what could not be decided is told. Pure, never throws. */
import { parseRunbook } from '../parse/parse.ts';
import { readPage } from './page.ts';
import { render } from './render.ts';
import type { Origin, Proposed, Rendered } from './render.ts';
import { draftOf } from './steps.ts';
import type { Note, Prose } from './draft.ts';
import { betweenCode, runbookName } from './text.ts';
import { withVariables } from './variables.ts';
import type { ReadyStep } from './variables.ts';

export interface ProposalOptions {
  /** Of the runbook; null: the page's title, in one word. It has to be one that `nameProblem` finds nothing wrong with. */
  readonly name: string | null;
  /** Where the page has no title. */
  readonly fallbackName: string;
  /** First sentence of the description; null: the page's title. */
  readonly title: string | null;
  /** Rows of `# Required Claims`, as YAML. */
  readonly claims: readonly string[];
}

export interface Proposal {
  readonly name: string;
  readonly text: string;
  /** What somebody should look at, in order of the lines of the page. */
  readonly notes: readonly Note[];
}

/** Where the title makes no name that may be one. */
const PLAIN_NAME = 'NewRunbook';
const NOWHERE: Origin = { kind: 'fixed', index: 0 };
/** Each round takes at least one thing back; a page that people wrote takes none or two. */
const MAX_ROUNDS = 30;
/** Far below what a document may have. */
const MAX_PROSE = 4000;

export function proposeRunbook(page: string, options: ProposalOptions): Proposal {
  const { title: pageTitle, parts } = readPage(page);
  const draft = draftOf(parts, pageTitle);
  const title = options.title ?? draft.title;
  const name = options.name ?? runbookName(title ?? options.fallbackName) ?? PLAIN_NAME;
  const { steps, variables, notes } = withVariables(draft.steps);
  const first: Prose[] =
    title === null
      ? []
      : [
          { line: 1, text: sentence(title) },
          { line: 1, text: '' },
        ];
  const taken: Note[] = [];
  if (steps.length === 0) taken.push({ line: 1, text: 'no step was found; write them under `# Steps`' });
  const proposed: Proposed = {
    name,
    description: [...first, ...draft.description.map(plain)].slice(0, MAX_PROSE),
    variables,
    steps: uniquelyNamed(steps.length > 0 ? steps.map(withPlainProse) : [onlyStep()]),
    claims: options.claims,
  };
  const { lines } = untilValid(proposed, taken, options.name === null);
  const all = [...draft.notes, ...notes, ...taken].toSorted((a, b) => a.line - b.line);
  const isNew = ({ line, text }: Note, index: number): boolean =>
    all.findIndex((other) => other.line === line && other.text === text) === index;
  return { name: (lines[0] ?? '').slice(2), text: `${lines.join('\n')}\n`, notes: all.filter(isNew) };
}

/** Takes back what the parser finds fault with: a line of prose first, then the name of a step, its script, the step. */
function untilValid(first: Proposed, notes: Note[], mayRename: boolean): Rendered {
  let proposed = first;
  const stages = new Map<number, number>();
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    const rendered = render(proposed);
    const { problems } = parseRunbook(Buffer.from(`${rendered.lines.join('\n')}\n`), {
      fileName: `${proposed.name}.md`,
    });
    if (problems.length === 0) return rendered;
    const name = mayRename && problems.some(({ line }) => line === 1) ? PLAIN_NAME : proposed.name;
    const wrong = problems.map(({ line }) => rendered.origins[line - 1] ?? NOWHERE);
    proposed = withoutWrong(proposed, name, wrong, stages, notes);
  }
  notes.push({ line: 1, text: 'nothing of the page could be taken over as it is' });
  return render({ ...proposed, description: [], variables: [], steps: [onlyStep()] });
}

function withoutWrong(
  proposed: Proposed,
  name: string,
  wrong: readonly Origin[],
  stages: Map<number, number>,
  notes: Note[],
): Proposed {
  const indexes = (kind: Origin['kind']): ReadonlySet<number> =>
    new Set(wrong.filter((origin) => origin.kind === kind).map(({ index }) => index));
  const described = indexes('description');
  const named = indexes('variable');
  const steps = proposed.steps.map((step, index): ReadyStep => {
    const lines = new Set(
      wrong.filter((origin) => origin.kind === 'prose' && origin.step === index).map((origin) => origin.index),
    );
    const prose = step.prose.filter(({ line }, at) => {
      if (lines.has(at)) notes.push({ line, text: 'this line is left out: as it is it would be misread' });
      return !lines.has(at);
    });
    if (!indexes('step').has(index)) return { ...step, prose };
    const stage = (stages.get(index) ?? 0) + 1;
    stages.set(index, stage);
    if (stage === 1) return { ...step, prose, name: `Step ${index + 1}` };
    notes.push({ line: step.line, text: 'this step could not be taken over as it is' });
    const manual = `Do what line ${step.line} of the page says.`;
    return { ...step, name: `Step ${index + 1}`, prose: [], script: null, rollback: null, outputs: [], manual };
  });
  const description = proposed.description.filter(({ line }, index) => {
    if (described.has(index)) notes.push({ line, text: 'this line is left out: as it is it would be misread' });
    return !described.has(index);
  });
  const variables = proposed.variables.filter((_, index) => !named.has(index));
  return { ...proposed, name, description, variables, steps: uniquelyNamed(steps) };
}

function onlyStep(): ReadyStep {
  const manual = 'Do what the page says, and write it here as steps.';
  return { name: 'Follow the page', line: 1, prose: [], script: null, manual, rollback: null, outputs: [] };
}

function withPlainProse(step: ReadyStep): ReadyStep {
  return { ...step, prose: step.prose.map(plain).slice(0, 200) };
}

/** Without the HTML that wikis export; words in angle brackets stay. */
function plain(prose: Prose): Prose {
  if (prose.isCode === true) return prose;
  const { line, text } = prose;
  const shown = betweenCode(text, withoutTags, null);
  return { line, text: shown.trim() === '' ? '' : shown };
}

function withoutTags(text: string): string {
  return text.replaceAll(/<\/?[A-Za-z][A-Za-z0-9]*(?:[ \t][^<>]*)?\/?>/g, (tag) => {
    // Of a table's cell.
    if (/^<br/i.test(tag)) return ' ';
    return /^<[A-Za-z][\w -]*>$/.test(tag) && !isHtml(tag) ? tag : '';
  });
}

function isHtml(tag: string): boolean {
  return HTML.has(tag.slice(1, -1).toLowerCase());
}
const HTML = new Set(
  'a aside b blockquote br center code dd del details div dl dt em figure font h1 h2 h3 h4 h5 h6 hr i img ins kbd li ol p pre s section small span strong sub summary sup table tbody td tfoot th thead tr u ul'.split(
    ' ',
  ),
);

/** Names are compared whatever their case; nothing else tells them apart for whoever goes on from a step. */
function uniquelyNamed(steps: readonly ReadyStep[]): readonly ReadyStep[] {
  const seen = new Set<string>();
  return steps.map((step, index) => {
    const base = step.name === '' ? `Step ${index + 1}` : step.name;
    let name = base;
    for (let count = 2; seen.has(keyOf(name)); count += 1) name = `${base} (${count})`;
    seen.add(keyOf(name));
    return { ...step, name };
  });
}

function keyOf(name: string): string {
  return name.normalize('NFKC').toLowerCase();
}

function sentence(title: string): string {
  return /[.!?]$/.test(title) ? title : `${title}.`;
}
