/** Names as a person reads them: without accents, markers and look-alike letters. */
import { isNear } from '../spelling.ts';

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
    .replace(ENCLOSED, plainLetter)
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^\p{L}]/gu, '')) {
    letters += LOOKALIKES.get(character) ?? character;
  }
  return letters;
}

const MARKUP = [
  /<!--.*?(?:-->|$)/g,
  /<[/!?a-z](?:[^<>"']|"[^"]*"|'[^']*')*>?/gi,
  // where a link leads, what a footnote or a reference is called, emoji by name
  /\]\([^()]*(?:\([^()]*\)[^()]*)*\)/g,
  /\]\[[^\][]*\]/g,
  /\[\^[^\][]*\]/g,
  /:[a-z0-9_+-]+:/gi,
  /\\[a-z]+/gi,
];
/** None of the patterns above and below matches without one of these. */
const MAY_BE_MARKUP = /[<\]:\\&]/;
const ANY_ENTITY = /&([a-z])[a-z0-9]{1,40};/gi;

/**
 * The words of a heading, whatever markup stands between and around them: links, images, tags, comments, formulas. An
 * entity is read as its first letter (`&eacute;`) and as a blank (`&NonBreakingSpace;`).
 */
export function wordsOf(heading: string): readonly (readonly string[])[] {
  if (!MAY_BE_MARKUP.test(heading)) return [splitWords(heading)];
  return ['$1', ' '].map((entity) => splitWords(withoutMarkup(heading, ' ').replace(ANY_ENTITY, entity)));
}

function splitWords(text: string): readonly string[] {
  return text
    .split(/[^\p{L}\p{M}\p{N}\p{So}&#;]+/u)
    .map(lettersOf)
    .filter((letters) => letters !== '');
}

/** A heading with its markup gone, so that what stands on both sides of it comes together: `[Cl](…)aims`. */
export function joinedLettersOf(heading: string): string {
  if (!MAY_BE_MARKUP.test(heading)) return lettersOf(heading);
  return lettersOf(withoutMarkup(heading, '').replace(ANY_ENTITY, '$1'));
}

function withoutMarkup(text: string, instead: string): string {
  return MARKUP.reduce((rest, pattern) => rest.replace(pattern, instead), text);
}

/** Both readings of a line that may hold HTML: with its tags as text, and without them. */
export function readingsOf(line: string): readonly string[] {
  return line.includes('<') ? [lettersOf(line), lettersOf(line.replace(HEADING_TAG, ''))] : [lettersOf(line)];
}

/** Letters in circles, squares and flags, which Unicode decomposes only in part. */
const ENCLOSED = /[\u{1F150}-\u{1F169}\u{1F170}-\u{1F189}\u{1F1E6}-\u{1F1FF}]/gu;

function plainLetter(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  const first = code >= 0x1f1e6 ? 0x1f1e6 : code >= 0x1f170 ? 0x1f170 : 0x1f150;
  return String.fromCodePoint(0x61 + code - first);
}

function fromCodePoint(code: number): string {
  return code <= 0x10ffff ? String.fromCodePoint(code) : '';
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

/** As `nearestName`, where no other name could be meant as well. */
export function onlyNearName(text: string, names: readonly string[]): string | null {
  const near = nearestName(text, names);
  if (near === null || nameLetters(near) === lettersOf(text)) return near;
  return nearestName(
    text,
    names.filter((name) => name !== near),
  ) === null
    ? near
    : null;
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
