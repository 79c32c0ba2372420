/** What a person sees on a terminal that knows as little as any: CR, LF, “erase to the end of the line”, colours. */

export interface Screen {
  /** Without blanks at their ends; the empty ones at the bottom are left out. */
  readonly lines: readonly string[];
  /** Escape sequences and control characters that it does not know. */
  readonly foreign: readonly string[];
  /** How often something stood in the last column, where a real terminal would begin a new line. */
  readonly wraps: number;
}

export const ESC = '\u{1B}';
const PIECE = new RegExp(`${ESC}\\[[0-9;?]*[A-Za-z]|[^]`, 'gu');
const COLOUR = new RegExp(`^${ESC}\\[[0-9;]*m$`, 'u');

export function seen(bytes: string, columns = 80): Screen {
  const rows: string[][] = [[]];
  const foreign: string[] = [];
  let [column, wraps] = [0, 0];
  for (const [piece] of bytes.matchAll(PIECE)) {
    let row = rows.at(-1) ?? [];
    if (piece === '\n') rows.push([]);
    else if (piece === '\r') column = 0;
    else if (piece === `${ESC}[K`) row.length = Math.min(row.length, column);
    else if (COLOUR.test(piece)) continue;
    else if (piece < ' ' && piece !== '\t') foreign.push(JSON.stringify(piece));
    else if (piece.length > 1 && piece.startsWith(ESC)) foreign.push(JSON.stringify(piece));
    else {
      if (column >= columns) {
        wraps += 1;
        rows.push((row = []));
        column = 0;
      }
      while (row.length < column) row.push(' ');
      row[column] = piece;
      column += 1;
    }
  }
  const lines = rows.map((row) => row.join('').trimEnd());
  while (lines.at(-1) === '') lines.pop();
  return { lines, foreign, wraps };
}
