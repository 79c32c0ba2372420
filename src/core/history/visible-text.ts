/**
 * Output as text that a person can see whole: nothing in it moves a cursor, turns the direction of writing, ends a
 * line where no line ends, or passes for a part of the document around it.
 */

/** What has no shape of its own, but for line feed, tab and the joiners that scripts and emoji need. */
const HIDDEN = /(?![\n\t\u200c\u200d])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;
/** A fence must be longer than any run of backticks in it, and an entry has a size: longer runs are broken up. */
const LONG_RUN = '`'.repeat(64);
const BROKEN_RUN = '`'.repeat(63) + escapeOf('`');
/** What a reader that knows nothing of fences would take for an entry of ours. */
const HEADING = /^#(?=## .*\| Exit Code:)/gm;
const MACHINE_LINE = /<(?=!-- runbook:)/g;

/**
 * UTF-8 as visible text: invalid bytes are U+FFFD, control characters their picture (`␛`), other hidden characters
 * and what looks like an entry's own marks an escape (`\u{202e}`), CRLF a line feed.
 */
export function visibleText(bytes: Buffer): string {
  return bytes
    .toString('utf8')
    .replaceAll('\r\n', '\n')
    .replace(HIDDEN, pictureOf)
    .replaceAll(LONG_RUN, BROKEN_RUN)
    .replace(HEADING, escapeOf)
    .replace(MACHINE_LINE, escapeOf);
}

/** What is shown of a text that may be too long. */
export interface ShownText {
  readonly head: string;
  /** Bytes of the original between head and tail. */
  readonly omittedBytes: number;
  /** Null: `head` is all of it. */
  readonly tail: string | null;
}

/** As much as fits into `budgetBytes` of UTF-8: everything, or as much of the beginning as of the end. */
export function fitText(bytes: Buffer, budgetBytes: number): ShownText {
  const whole = bytes.length <= budgetBytes ? visibleText(bytes) : null;
  if (whole !== null && Buffer.byteLength(whole) <= budgetBytes) return { head: whole, omittedBytes: 0, tail: null };
  const half = Math.floor(budgetBytes / 2);
  const headEnd = fit(half, (length) => bytes.subarray(0, boundary(bytes, Math.min(length, bytes.length), -1)));
  const rest = bytes.subarray(headEnd.length);
  const tail = fit(half, (length) => rest.subarray(boundary(rest, Math.max(0, rest.length - length), 1)));
  return {
    head: visibleText(headEnd),
    omittedBytes: rest.length - tail.length,
    tail: visibleText(tail),
  };
}

/** The longest tried piece whose visible form is not larger than the budget; each try is at least 1/16 shorter. */
function fit(budgetBytes: number, piece: (length: number) => Buffer): Buffer {
  for (let length = budgetBytes; length > 0;) {
    const tried = piece(length);
    const size = Buffer.byteLength(visibleText(tried));
    if (size <= budgetBytes) return tried;
    length = Math.floor(length * Math.min(budgetBytes / size, 15 / 16));
  }
  return piece(0);
}

/** The nearest place in the given direction where no character is cut in two. */
function boundary(bytes: Buffer, at: number, direction: 1 | -1): number {
  for (let n = 0; n < 4; n += 1) {
    const place = at + n * direction;
    const byte = bytes[place];
    if (byte === undefined || (byte & 0xc0) !== 0x80) return Math.max(0, Math.min(place, bytes.length));
  }
  // Not UTF-8 here: any place is as good.
  return at;
}

function pictureOf(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x20) return String.fromCodePoint(0x2400 + code);
  return code === 0x7f ? '\u2421' : escapeOf(character);
}

function escapeOf(character: string): string {
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
}
