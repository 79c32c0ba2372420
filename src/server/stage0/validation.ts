/** What is wrong with a runbook, or missing for it, in Stage0's words and order where Stage0 has a word for it. */
import type { Problem } from '../../core/runbook.ts';
import { invalidNameText } from './texts.ts';

export interface Messages {
  readonly errors: readonly string[];
  readonly warnings: readonly string[];
}

const SECTIONS = ['Environment Requirements', 'File System Requirements', 'Script', 'History'];
const NO_SCRIPT = 'Script section must contain a sh code block';
const NO_TITLE = 'Runbook must start with an H1 header containing the runbook name';

/** Rule → its place among the messages, and the text; null: the sentence of the problem itself. */
const WORDS: Readonly<Record<string, readonly [number, (about: string) => string | null]>> = {
  'variable-name': [0, invalidNameText],
  'variable-denied': [0, () => null],
  'section-missing': [1, (name) => `Missing required section: ${name}`],
  'yaml-fence-tag': [2, (name) => (SECTIONS.includes(name) ? `${name} section must contain a YAML code block` : null)],
  'variable-missing': [2, (name) => `Required environment variable not set: ${name}`],
  'variable-wrong': [2, () => null],
  'input-missing': [3, (path) => `Required input file does not exist: ${path}`],
  'input-outside': [3, (path) => `Input path escapes runbook directory: ${path}`],
  'input-special': [3, () => null],
  'input-unreadable': [3, () => null],
  'script-missing': [4, () => NO_SCRIPT],
  'script-empty': [4, () => NO_SCRIPT],
  'title-missing': [6, () => NO_TITLE],
  'front-matter': [6, () => NO_TITLE],
};
const OURS = 5;

/** @param document its title and its file name */
export function messagesOf(
  problems: readonly Problem[],
  { title, fileName }: { readonly title: string | null; readonly fileName: string },
): Messages {
  const errors = problems.filter(({ severity }) => severity === 'error');
  const warnings = problems.filter(({ severity }) => severity === 'warning');
  return {
    errors: errors.some(({ rule }) => rule === 'document-empty')
      ? ['Runbook content is empty']
      : errors.toSorted((a, b) => placeOf(a) - placeOf(b)).map(textOf),
    warnings: warnings.map((problem) =>
      problem.rule === 'title-differs'
        ? `Runbook name '${title ?? ''}' does not match filename '${fileName.replace(/\.md$/, '')}'`
        : problem.message,
    ),
  };
}

function placeOf({ rule, about = '' }: Problem): number {
  const [place] = WORDS[rule] ?? [OURS];
  return place + (rule === 'section-missing' ? SECTIONS.indexOf(about) / SECTIONS.length : 0);
}

function textOf({ rule, about, message }: Problem): string {
  const [, word] = WORDS[rule] ?? [OURS, () => null];
  return word(about ?? '') ?? message;
}

/** As a caller over HTTP can act on it: there is no command line. */
export function overHttp(problem: Problem): Problem {
  const fix = FIXES[problem.rule]?.(problem.about ?? 'NAME');
  return fix === undefined ? problem : { ...problem, fix };
}

const FIXES: Readonly<Record<string, (about: string) => string>> = {
  'variable-missing': (name) => `Send {"env_vars": {"${name}": "value"}}.`,
  'step-needs-confirmation': () => 'Execute it with `?confirm=yes`, or with `?confirm=ask` and answer when it asks.',
};
