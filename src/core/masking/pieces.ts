/**
 * A secret of several lines, cut so that its pieces, one after another, are the whole again. Each is a line that is
 * worth being looked for alone, with what follows up to the next such line: where the whole is printed, all pieces
 * are found and united; where one line is printed, it is found as well; and no pattern is longer than a line and a bit.
 */
import { refusalOf } from './refusal.ts';

export interface Piece {
  /** What stands before the first line that is worth it; '' for the others. */
  readonly lead: string;
  /** Without the space around it. */
  readonly line: string;
  /** Space, line ends and lines that say too little, up to the next piece. */
  readonly tail: string;
  /** Line of the next piece, '' at the end. */
  readonly next: string;
}

/** A line of fewer characters says too little to be looked for alone. */
const SHORTEST_LINE = 6;

/** The secret as it is kept: a line end at its end belongs to the file it was read from. */
export function withoutLineEnd(secret: Buffer): Buffer {
  let end = secret.length;
  while (end > 0 && (secret[end - 1] === 10 || secret[end - 1] === 13)) end -= 1;
  return secret.subarray(0, end);
}

export function piecesOf(secret: string): Piece[] {
  const lines = [...secret.matchAll(/[^\r\n\t ][^\r\n]*/g)]
    .map((match) => ({ start: match.index, line: match[0].trimEnd() }))
    .filter(({ line }) => Array.from(line).length >= SHORTEST_LINE && refusalOf(line) === null);
  // Where no line is worth it, only the whole is looked for.
  if (lines.length === 0) return withLineEnds(secret).map((line) => ({ lead: '', line, tail: '', next: '' }));
  return lines.map(({ start, line }, index) => {
    const following = lines[index + 1];
    const end = following?.start ?? secret.length;
    return {
      lead: index === 0 ? secret.slice(0, start) : '',
      line,
      tail: secret.slice(start + line.length, end),
      next: following?.line ?? '',
    };
  });
}

/** The text as it is, with LF, and with CRLF; only as it is where it has no line ends. */
export function withLineEnds(text: string): readonly string[] {
  const unix = text.replaceAll(/\r\n?/g, '\n');
  return unix.includes('\n') ? [text, unix, unix.replaceAll('\n', '\r\n')] : [text];
}
