/** Mechanical repairs: the edits that problems bring, applied to the bytes of a document. All other bytes stay. */
import { splitDocument } from './parse/history.ts';
import { parseRunbook } from './parse/parse.ts';
import type { ParseOptions } from './parse/parse.ts';
import type { Edit, Problem } from './runbook.ts';

export interface Fixed {
  /** The same bytes where nothing was repaired. */
  readonly bytes: Uint8Array;
  /** In the order in which they were repaired; places are those of the text before. */
  readonly fixed: readonly Problem[];
}

/** One repair may show the next problem. Each makes one problem less, so this is never reached by a document that people write. */
const MAX_ROUNDS = 100;

/** Repairs until nothing is left that can be repaired mechanically. Pure; never throws. */
export function fixDocument(bytes: Uint8Array, options: ParseOptions): Fixed {
  let current = bytes;
  const fixed: Problem[] = [];
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    const { problems } = parseRunbook(current, options);
    const chosen = apart(problems);
    if (chosen.length === 0) break;
    current = applyEdits(
      current,
      chosen.map(({ edit }) => edit),
    );
    fixed.push(...chosen);
  }
  return { bytes: current, fixed };
}

type Repairable = Problem & { readonly edit: Edit };

/** In order of place, those that do not touch one another; the others come in the next round. */
function apart(problems: readonly Problem[]): readonly Repairable[] {
  const chosen: Repairable[] = [];
  const repairable = problems.filter((problem): problem is Repairable => problem.edit !== undefined);
  for (const problem of repairable.toSorted((a, b) => a.edit.line - b.edit.line || a.edit.column - b.edit.column)) {
    const before = chosen.at(-1)?.edit;
    const { line, column } = problem.edit;
    if (before === undefined || before.endLine < line || (before.endLine === line && before.endColumn <= column))
      chosen.push(problem);
  }
  return chosen;
}

/** @param edits in order of place, none touching another; of text that is UTF-8 */
function applyEdits(bytes: Uint8Array, edits: readonly Edit[]): Uint8Array {
  const { lines } = splitDocument(bytes);
  const starts = lineStarts(bytes, lines.length);
  const offset = (line: number, column: number): number =>
    (starts[line - 1] ?? 0) + Buffer.byteLength((lines[line - 1] ?? '').slice(0, column - 1));
  const pieces: Uint8Array[] = [];
  let at = 0;
  for (const { line, column, endLine, endColumn, text } of edits) {
    const start = starts[line - 1] ?? 0;
    const next = bytes.indexOf(0x0a, start);
    // The last line may have no end: then it is as the one before.
    const end = next === -1 ? start - 1 : next;
    const isCrlf = end > 0 && bytes[end - 1] === 0x0d;
    pieces.push(bytes.subarray(at, offset(line, column)), Buffer.from(isCrlf ? text.replaceAll('\n', '\r\n') : text));
    at = offset(endLine, endColumn);
  }
  return Buffer.concat([...pieces, bytes.subarray(at)]);
}

/** Offset of the first character of each line; a byte order mark is none. */
function lineStarts(bytes: Uint8Array, count: number): readonly number[] {
  const hasMark = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
  const starts = [hasMark ? 3 : 0];
  for (let at = 0; starts.length < count;) {
    const end = bytes.indexOf(0x0a, at);
    if (end === -1) break;
    at = end + 1;
    starts.push(at);
  }
  return starts;
}
