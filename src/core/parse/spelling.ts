/** How near two names are, as a person reads them. */

/** Letters that look like Latin ones and are not folded by Unicode's compatibility decomposition. */
const LOOKALIKES: ReadonlyMap<string, string> = new Map(
  Object.entries({
    a: 'аαɑᴀ',
    b: 'ьвβʙ',
    c: 'сϲᴄ',
    d: 'ԁɗᴅ',
    e: 'еεєᴇҽ',
    f: 'ϝꜰ',
    g: 'ɡɢ',
    h: 'һнʜ',
    i: 'іιıɪ',
    j: 'јʝᴊ',
    k: 'кκᴋ',
    l: 'ӏʟɩł',
    m: 'мᴍ',
    n: 'пηɴո',
    o: 'оοσօᴏø',
    p: 'рρᴘ',
    q: 'ԛզ',
    r: 'гʀᴦ',
    s: 'ѕꜱʂ',
    t: 'тτᴛŧ',
    u: 'υսцᴜʋ',
    v: 'νѵᴠ',
    w: 'ԝωѡᴡ',
    x: 'хχ',
    y: 'уγүʏ',
    z: 'ᴢʐ',
  }).flatMap(([latin, others]) => Array.from(others, (other): [string, string] => [other, latin])),
);

/** ASCII without entities: nothing to resolve. */
const PLAIN = /^[ -%'-~\t]*$/;
const HEADING_TAG = /<\/?[a-z][a-z0-9]*(?:\s[^<>]*)?>/gi;
const NUMERIC_ENTITY = /&#(?:x([0-9a-f]{1,6})|([0-9]{1,7}));/gi;
const NAMED_ENTITY = /&[a-z]{2,8};/gi;

/**
 * The letters of `text` as a reader sees them: entities resolved, accents, markers, spaces, digits and punctuation
 * dropped, look-alike letters folded, lower case. `### **Réquired_Claims:**` → `requiredclaims`.
 */
export function lettersOf(text: string): string {
  if (PLAIN.test(text)) return text.replace(/[^A-Za-z]+/g, '').toLowerCase();
  const resolved = text.includes('&')
    ? text
        .replace(NUMERIC_ENTITY, (_, hex: string | undefined, decimal: string | undefined) =>
          fromCodePoint(hex === undefined ? Number(decimal) : Number.parseInt(hex, 16)),
        )
        .replace(NAMED_ENTITY, ' ')
    : text;
  let letters = '';
  for (const character of resolved
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^\p{L}]/gu, '')) {
    letters += LOOKALIKES.get(character) ?? character;
  }
  return letters;
}

/** Both readings of a line that may hold HTML: with its tags as text, and without them. */
export function readingsOf(line: string): readonly string[] {
  return line.includes('<') ? [lettersOf(line), lettersOf(line.replace(HEADING_TAG, ''))] : [lettersOf(line)];
}

function fromCodePoint(code: number): string {
  return code <= 0x10ffff ? String.fromCodePoint(code) : '';
}

/**
 * Whether `a` becomes `b` with at most `max` edits (insert, delete, replace, swap two neighbours: optimal string
 * alignment).
 */
export function isNear(a: string, b: string, max: number): boolean {
  if (Math.abs(a.length - b.length) > max) return false;
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  let lowest = 0;
  for (let i = 1; i <= a.length; i += 1) {
    const current = [i];
    const lowestBefore = lowest;
    lowest = i;
    for (let j = 1; j <= b.length; j += 1) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      let best = Math.min((previous[j] ?? 0) + 1, (current[j - 1] ?? 0) + 1, (previous[j - 1] ?? 0) + cost);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        best = Math.min(best, (beforePrevious[j - 2] ?? 0) + 1);
      }
      current.push(best);
      lowest = Math.min(lowest, best);
    }
    // A row is made from the two rows before it.
    if (lowest > max && lowestBefore > max) return false;
    beforePrevious = previous;
    previous = current;
  }
  return (previous[b.length] ?? Infinity) <= max;
}

/** The first of `names` that `text` nearly is: two edits, one for a name of up to seven letters. Null: none. */
export function nearestName(text: string, names: readonly string[]): string | null {
  const letters = lettersOf(text);
  if (letters === '' || letters.length > MAX_NAME_LETTERS) return null;
  return (
    names.find((name) => nameLetters(name) === letters) ??
    names.find((name) => isNear(letters, nameLetters(name), name.length <= 7 ? 1 : 2)) ??
    null
  );
}

/** Longer than any name that is asked for, two edits included. */
const MAX_NAME_LETTERS = 40;
const known = new Map<string, string>();

/** `lettersOf` a name of our own, of which there are few. */
function nameLetters(name: string): string {
  const letters = known.get(name) ?? lettersOf(name);
  known.set(name, letters);
  return letters;
}
