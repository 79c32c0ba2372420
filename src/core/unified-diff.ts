/** The difference of two texts as patch(1) and people read it. */

const CONTEXT = 3;
/** Texts that differ in more lines than that are shown as replaced from the first difference to the last. */
const MAX_EDITS = 1000;

interface Line {
  readonly kind: ' ' | '-' | '+';
  readonly text: string;
}

/** Unified, three lines of context; empty where the texts are equal. Texts may be bytes read as Latin-1: nothing is interpreted. */
export function unifiedDiff(name: string, before: string, after: string): string {
  if (before === after) return '';
  const lines = compare(linesOf(before), linesOf(after));
  return `--- a/${name}\n+++ b/${name}\n${hunksOf(lines).join('')}`;
}

/** With their ends. */
function linesOf(text: string): readonly string[] {
  const lines = text.split('\n').map((line) => `${line}\n`);
  const last = (lines.pop() ?? '\n').slice(0, -1);
  return last === '' ? lines : [...lines, last];
}

function compare(before: readonly string[], after: readonly string[]): readonly Line[] {
  let start = 0;
  while (start < before.length && start < after.length && before[start] === after[start]) start += 1;
  let end = 0;
  while (
    end < before.length - start &&
    end < after.length - start &&
    before[before.length - 1 - end] === after[after.length - 1 - end]
  )
    end += 1;
  return [
    ...as(' ', before.slice(0, start)),
    ...shortest(before.slice(start, before.length - end), after.slice(start, after.length - end)),
    ...as(' ', before.slice(before.length - end)),
  ];
}

/** Myers, "An O(ND) Difference Algorithm" (1986): furthest points by diagonal, then back along them. */
function shortest(before: readonly string[], after: readonly string[]): readonly Line[] {
  let reach = new Map<number, number>([[1, 0]]);
  const trace: ReadonlyMap<number, number>[] = [];
  for (let edits = 0; edits <= MAX_EDITS; edits += 1) {
    trace.push(reach);
    const next = new Map(reach);
    for (let diagonal = -edits; diagonal <= edits; diagonal += 2) {
      let x = isDown(next, diagonal, edits) ? at(next, diagonal + 1) : at(next, diagonal - 1) + 1;
      while (x < before.length && x - diagonal < after.length && before[x] === after[x - diagonal]) x += 1;
      next.set(diagonal, x);
      if (x >= before.length && x - diagonal >= after.length) return backwards(before, after, trace);
    }
    reach = next;
  }
  return [...as('-', before), ...as('+', after)];
}

function backwards(
  before: readonly string[],
  after: readonly string[],
  trace: readonly ReadonlyMap<number, number>[],
): readonly Line[] {
  const lines: Line[] = [];
  let x = before.length;
  let y = after.length;
  for (let edits = trace.length - 1; edits >= 0; edits -= 1) {
    const reach = trace[edits] ?? new Map<number, number>();
    const down = isDown(reach, x - y, edits);
    const fromX = at(reach, x - y + (down ? 1 : -1));
    const fromY = fromX - (x - y + (down ? 1 : -1));
    for (; x > fromX && y > fromY; x -= 1, y -= 1) lines.push({ kind: ' ', text: before[x - 1] ?? '' });
    if (edits > 0)
      lines.push(down ? { kind: '+', text: after[y - 1] ?? '' } : { kind: '-', text: before[x - 1] ?? '' });
    [x, y] = [fromX, fromY];
  }
  return lines.reverse();
}

function isDown(reach: ReadonlyMap<number, number>, diagonal: number, edits: number): boolean {
  return diagonal === -edits || (diagonal !== edits && at(reach, diagonal - 1) < at(reach, diagonal + 1));
}

function at(reach: ReadonlyMap<number, number>, diagonal: number): number {
  return reach.get(diagonal) ?? -1;
}

function as(kind: Line['kind'], lines: readonly string[]): readonly Line[] {
  return lines.map((text) => ({ kind, text }));
}

function hunksOf(lines: readonly Line[]): readonly string[] {
  const changed = lines.flatMap(({ kind }, index) => (kind === ' ' ? [] : [index]));
  const ranges: { first: number; last: number }[] = [];
  for (const index of changed) {
    const range = ranges.at(-1);
    if (range !== undefined && index - range.last <= 2 * CONTEXT) range.last = index;
    else ranges.push({ first: index, last: index });
  }
  return ranges.map(({ first, last }) => hunk(lines, Math.max(0, first - CONTEXT), last + CONTEXT + 1));
}

function hunk(lines: readonly Line[], first: number, end: number): string {
  const shown = lines.slice(first, end);
  const range = (other: Line['kind']): string => {
    const before = lines.slice(0, first).filter(({ kind }) => kind !== other).length;
    const count = shown.filter(({ kind }) => kind !== other).length;
    return `${count === 0 ? before : before + 1},${count}`;
  };
  const body = shown.map(({ kind, text }) =>
    text.endsWith('\n') ? `${kind}${text}` : `${kind}${text}\n\\ No newline at end of file\n`,
  );
  return `@@ -${range('+')} +${range('-')} @@\n${body.join('')}`;
}
