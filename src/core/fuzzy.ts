/** How well a name fits what a person remembers of it. Pure, and the same on every machine. */
import { isNear } from './spelling.ts';

/** Scores of the ways in which a name can fit, best first; within one of them shorter names and earlier places win. */
const WHOLE = 1000;
const BEGINNING = 800;
const WORD = 600;
const INSIDE = 400;
const LETTERS = 200;
const TYPO = 100;

/**
 * How well `query` fits `name`; null where it does not. From the best: the whole name, its beginning, the beginning of one
 * of its words (`DrainNode`, `drain-node`), a part of it, its letters in order, beginning with that of a word (`dn`), one of
 * its words with a typo in it. Case does not count.
 */
export function fuzzyScore(query: string, name: string): number | null {
  const wanted = fold(query);
  const text = fold(name);
  if (wanted === '') return 0;
  if (text === wanted) return WHOLE;
  const at = text.indexOf(wanted);
  const starts = wordStarts(name);
  if (at === 0) return BEGINNING - penalty(text.length - wanted.length);
  const word = starts.find((start) => text.startsWith(wanted, start));
  if (word !== undefined) return WORD - penalty(word);
  if (at > 0) return INSIDE - penalty(at);
  const spread = spreadOf(wanted, text, starts);
  if (spread !== null) return LETTERS - penalty(spread - wanted.length);
  return hasTypo(wanted, text, starts) ? TYPO : null;
}

/** Less than the distance between two ways to fit. */
function penalty(letters: number): number {
  return Math.min(99, letters);
}

function fold(text: string): string {
  // Letter for letter, so that places in the folded text are places in the name.
  return Array.from(text.normalize('NFC'), (letter) => {
    const lower = letter.toLowerCase();
    return lower.length === letter.length ? lower : letter;
  }).join('');
}

/** Where words begin: after what is no letter or digit, at a capital behind a small letter, at a digit behind a letter. */
function wordStarts(name: string): readonly number[] {
  const text = name.normalize('NFC');
  const starts: number[] = [];
  let before = '';
  let index = 0;
  for (const letter of text) {
    const isPart = /[\p{L}\p{N}]/u.test(letter);
    const isNew =
      !/[\p{L}\p{N}]/u.test(before) ||
      (/\p{Ll}/u.test(before) && /\p{Lu}/u.test(letter)) ||
      (/\p{L}/u.test(before) && /\p{N}/u.test(letter));
    if (isPart && isNew) starts.push(index);
    before = letter;
    index += letter.length;
  }
  return starts;
}

/** Length of the shortest stretch that begins a word and has the letters in order; null where there is none. */
function spreadOf(wanted: string, text: string, starts: readonly number[]): number | null {
  const [first = '', ...rest] = wanted;
  let shortest: number | null = null;
  for (const start of starts) {
    if (!text.startsWith(first, start)) continue;
    let end = start + first.length;
    for (const letter of rest) {
      const at = text.indexOf(letter, end);
      end = at === -1 ? Infinity : at + letter.length;
      if (at === -1) break;
    }
    if (end !== Infinity && (shortest === null || end - start < shortest)) shortest = end - start;
  }
  return shortest;
}

/** Of three letters everything is a typo of everything. */
const MIN_TYPO_LETTERS = 4;

function hasTypo(wanted: string, text: string, starts: readonly number[]): boolean {
  if (wanted.length < MIN_TYPO_LETTERS) return false;
  const most = wanted.length < 8 ? 1 : 2;
  const ends = [...starts.slice(1), text.length];
  const words = starts.map((start, index) => text.slice(start, ends[index]).replace(/[^\p{L}\p{N}]+$/u, ''));
  return [text, ...words].some((word) => isNear(wanted, word, most));
}
