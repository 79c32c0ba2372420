/** How many columns of a terminal a text takes. */

/** East Asian wide and full-width letters, and what is drawn as a picture (Unicode 16, blocks that are wide as a whole). */
const WIDE =
  /[\u1100-\u115f\u2329\u232a\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe10-\ufe19\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{16fe0}-\u{18aff}\u{1aff0}-\u{1b2ff}\u{20000}-\u{3fffd}\p{Emoji_Presentation}]/u;
/** Drawn over or into the character before. */
const NO_WIDTH = /[\p{Mn}\p{Me}\p{Cf}\u{1f3fb}-\u{1f3ff}]/u;
const JOINER = '\u200d';
const AS_PICTURE = '\ufe0f';

const PLAIN = /^[ -~]*$/;

/** Columns. Control characters count as none: what is shown has been made visible before. */
export function widthOf(text: string): number {
  return PLAIN.test(text) ? text.length : columnsOf(text).reduce((sum, [, columns]) => sum + columns, 0);
}

/** At most `columns` of it, with `…` where something is left out. */
export function fitWidth(text: string, columns: number): string {
  if (widthOf(text) <= columns) return text;
  if (columns < 1) return '';
  let shown = '';
  let left = columns - 1;
  for (const [character, width] of columnsOf(text)) {
    if (width > left) break;
    shown += character;
    left -= width;
  }
  return `${shown.trimEnd()}…`;
}

/** Filled up with spaces. */
export function padWidth(text: string, columns: number): string {
  return text + ' '.repeat(Math.max(0, columns - widthOf(text)));
}

/** Characters as they are drawn, each with its columns: marks belong to the one before. */
function columnsOf(text: string): readonly (readonly [string, number])[] {
  const drawn: [string, number][] = [];
  let isJoined = false;
  for (const character of text) {
    const last = drawn.at(-1);
    if (last !== undefined && (isJoined || character === AS_PICTURE || NO_WIDTH.test(character))) {
      last[0] += character;
      // A character that is a picture only if it is told to be one.
      if (character === AS_PICTURE) last[1] = 2;
    } else {
      drawn.push([character, NO_WIDTH.test(character) || /\p{Cc}/u.test(character) ? 0 : WIDE.test(character) ? 2 : 1]);
    }
    isJoined = character === JOINER;
  }
  return drawn;
}
