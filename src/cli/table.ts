/** Tables that fit a terminal: columns that may be cut get what is left. */
import { fitWidth, padWidth, widthOf } from '../core/width.ts';

const GAP = '  ';
/** Columns that are left of every cell, however narrow the terminal is. */
const LEAST = 4;

/**
 * Lines of a table, none longer than `columns` where that can be. Where it is too wide, the columns of `cut` become narrower,
 * each down to its least width, the last one first.
 */
export function fitTable(
  rows: readonly (readonly string[])[],
  columns: number,
  cut: Readonly<Record<number, number>>,
): readonly string[] {
  const widths = widthsOf(rows);
  let over = widths.reduce((sum, width) => sum + width, GAP.length * (widths.length - 1)) - columns;
  const order = Object.entries(cut)
    .map(([column, least]) => ({ column: Number(column), least }))
    // The last column is the one with prose: it is cut before names are.
    .toSorted((a, b) => b.column - a.column);
  // A second time where that is not enough: a terminal beside another window.
  for (const { column, least } of [...order, ...order.map((one) => ({ column: one.column, least: LEAST }))]) {
    const width = widths[column] ?? 0;
    const less = Math.max(0, Math.min(over, width - least));
    widths[column] = width - less;
    over -= less;
  }
  return rows.map((row) => lineOf(row, widths).trimEnd());
}

/** Columns as wide as their widest cell. */
export function widthsOf(rows: readonly (readonly string[])[]): number[] {
  const count = Math.max(0, ...rows.slice(0, 1).map((row) => row.length));
  const widths = Array.from({ length: count }, () => 0);
  for (const row of rows)
    for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, widthOf(cell));
  return widths;
}

export function lineOf(row: readonly string[], widths: readonly number[]): string {
  const last = row.length - 1;
  const cells = row.map((cell, column) => {
    const width = widths[column] ?? 0;
    return column === last ? fitWidth(cell, width) : padWidth(fitWidth(cell, width), width);
  });
  return cells.join(GAP);
}
