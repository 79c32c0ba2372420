/** How things look to a person. Machines read `--json`; this text may change at any time. */
import kleur from 'kleur';
import type { Problem } from '../core/runbook.ts';
import { lineOf, widthsOf } from './table.ts';

export interface Style {
  bold(text: string): string;
  dim(text: string): string;
  red(text: string): string;
  green(text: string): string;
  yellow(text: string): string;
}

/** Kleur switches colours for the whole process; stdout and stderr may differ. */
export function createStyle(color: boolean): Style {
  const paint =
    (apply: (text: string) => string) =>
    (text: string): string => {
      kleur.enabled = color;
      return apply(text);
    };
  return {
    bold: paint(kleur.bold),
    dim: paint(kleur.dim),
    red: paint(kleur.red),
    green: paint(kleur.green),
    yellow: paint(kleur.yellow),
  };
}

/** `file:line:col: severity: message (rule-id)`, the fix on the next line. */
export function renderProblem(style: Style, file: string, problem: Problem): string {
  const severity = problem.severity === 'error' ? style.red('error') : style.yellow('warning');
  return `${inline(file)}:${problem.line}:${problem.column}: ${severity}: ${inline(problem.message)} ${style.dim(`(${problem.rule})`)}\n  fix: ${inline(problem.fix)}`;
}

/** Columns as wide as their widest cell; the last one is not padded. */
export function renderTable(rows: readonly (readonly string[])[]): string {
  const widths = widthsOf(rows);
  return rows.map((row) => lineOf(row, widths).trimEnd()).join('\n');
}

/** Text of strangers on a terminal: control characters and bidirectional overrides become visible. Lines stay lines. */
export function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) =>
    character === '\n' || character === '\t' ? character : `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  );
}

/** The same for what must stay on one line, like a cell of a table: nobody writes a row of their own into it. */
export function inline(text: string): string {
  return printable(text).replaceAll('\n', '\\n').replaceAll('\t', ' ');
}
