/** Collects what is wrong with a document. `add` is the one place that makes a Problem. */
import type { Problem } from '../runbook.ts';
import { RULES, type RuleId } from './rules.ts';

export interface Position {
  readonly line: number;
  readonly column: number;
}

/** A repair where a problem is made: `edits.ts` finds `old` in the document, or there is no edit. */
export interface Replacement {
  readonly old: string;
  readonly text: string;
  /** Where `old` begins, markers and quotes before it aside; default: where the problem is. */
  readonly at?: Position;
  /** It may stand anywhere in the line, but only once. */
  readonly anywhere?: boolean;
}

const MAX_PROBLEMS = 200;

export class Problems {
  private readonly found: Problem[] = [];
  private readonly counts = new Map<RuleId, number>();
  private readonly replacements = new Map<Problem, Replacement>();

  /**
   * @param message what is wrong, one sentence. @param fix what to do, one sentence. @param about see `Problem`
   * @param replacement only where it is certain what was meant, and that nothing else is changed by it
   */
  add(
    rule: RuleId,
    at: Position,
    message: string,
    fix: string,
    about?: string,
    replacement?: Replacement | null,
  ): void {
    const count = (this.counts.get(rule) ?? 0) + 1;
    this.counts.set(rule, count);
    // One more than is shown: then it is known that there are more.
    if (count > MAX_PROBLEMS + 1) return;
    const { line, column } = at;
    const problem: Problem = {
      severity: RULES[rule].severity,
      rule,
      message: oneLine(message),
      fix: oneLine(fix),
      line,
      column,
      ...(about === undefined ? {} : { about: oneLine(about) }),
    };
    this.found.push(problem);
    if (replacement !== undefined && replacement !== null) this.replacements.set(problem, replacement);
  }

  /** Of a problem of the list. */
  replacementOf(problem: Problem): Replacement | undefined {
    return this.replacements.get(problem);
  }

  get hasErrors(): boolean {
    return this.found.some((problem) => problem.severity === 'error');
  }

  /** In order of place, without silenced warnings; of too many, errors are kept first. */
  list(silenced: ReadonlySet<string>): readonly Problem[] {
    const shown = this.found.filter(({ severity, rule }) => severity === 'error' || !silenced.has(rule));
    if (shown.length <= MAX_PROBLEMS) return shown.toSorted(byPlace);
    const errors = shown.filter(({ severity }) => severity === 'error').toSorted(byPlace);
    const warnings = shown.filter(({ severity }) => severity === 'warning').toSorted(byPlace);
    const kept = [...errors, ...warnings].slice(0, MAX_PROBLEMS - 1).toSorted(byPlace);
    const { line, column } = kept.at(-1) ?? { line: 1, column: 1 };
    return [
      ...kept,
      {
        severity: RULES['problems-truncated'].severity,
        rule: 'problems-truncated' satisfies RuleId,
        message: `The document has more than ${kept.length} problems.`,
        fix: 'Repair these, then check the document again.',
        line,
        column,
      },
    ];
  }
}

function byPlace(a: Problem, b: Problem): number {
  return a.line - b.line || a.column - b.column;
}

/** Text of the document inside a message must not forge a second line or hide in it. */
function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '\u{FFFD}');
}

/** Document text for a message: quoted, cut. */
export function quote(text: string): string {
  const characters = Array.from(text.slice(0, 200));
  return characters.length > 60 ? `\`${characters.slice(0, 60).join('')}…\`` : `\`${text}\``;
}
