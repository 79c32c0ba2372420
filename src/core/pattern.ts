/**
 * Patterns that people write into a runbook. They are matched by a simulation of states (Thompson's construction), so
 * the time grows with length of value × length of pattern and nothing can make it explode; see the ADR on patterns.
 * The language is a subset of JavaScript's regular expressions with the flag `u`; the whole value must match.
 */

const MAX_PATTERN_LENGTH = 512;
/** Longest value, in code points, that is matched against a pattern. */
export const MAX_MATCHED_LENGTH = 1024;
const MAX_STATES = 2000;
const MAX_REPEAT = 1000;

type CharacterTest = (character: string) => boolean;
type Expression =
  | { readonly type: 'character'; readonly test: CharacterTest }
  | { readonly type: 'start' | 'end' }
  | { readonly type: 'sequence' | 'choice'; readonly items: readonly Expression[] }
  | { readonly type: 'repeat'; readonly item: Expression; readonly min: number; readonly max: number };

type State =
  | { type: 'character'; test: CharacterTest }
  | { type: 'start' | 'end' | 'match' }
  /** Goes on at each of `to`. */
  | { type: 'split'; to: number[] };

interface Pattern {
  /** Whether the whole of `value` matches; false for a value above `MAX_MATCHED_LENGTH` code points. */
  matches(value: string): boolean;
}

export type CompiledPattern =
  | { readonly ok: true; readonly pattern: Pattern }
  | { readonly ok: false; readonly reason: string };

class Unsupported extends Error {}

/** Compiles `source`; `reason` says in one sentence why it is refused. Never throws. */
export function compilePattern(source: string): CompiledPattern {
  if (source.length > MAX_PATTERN_LENGTH) {
    return { ok: false, reason: `It is longer than ${MAX_PATTERN_LENGTH} characters.` };
  }
  try {
    // The platform checks the syntax; the parser below may then rely on it.
    void new RegExp(source, 'u');
  } catch {
    return { ok: false, reason: 'It is not a regular expression (JavaScript syntax, flag u).' };
  }
  try {
    const states: State[] = [];
    emit(new PatternParser(source).parse(), states);
    push(states, { type: 'match' });
    return { ok: true, pattern: { matches: (value) => run(states, value) } };
  } catch (error) {
    if (error instanceof Unsupported) return { ok: false, reason: error.message };
    throw error;
  }
}

const QUANTIFIER = /^(?:[*+?]|\{(\d+)(,?)(\d*)\})/;
const ESCAPE =
  /^\\(?:u\{[0-9A-Fa-f]+\}|u[Dd][89ABab]..\\u[Dd][C-Fc-f]..|u[0-9A-Fa-f]{4}|x..|[pP]\{[^}]*\}|c[A-Za-z]|.)/u;
const GROUP_NAME = /^\?<[^=!>][^>]*>/;

/** Recursive descent over a source that is known to be a valid `u` expression. */
class PatternParser {
  private at = 0;
  private readonly source: string;

  constructor(source: string) {
    this.source = source;
  }

  parse(): Expression {
    const first = this.sequence();
    const items = [first];
    while (this.source[this.at] === '|') {
      this.at += 1;
      items.push(this.sequence());
    }
    return items.length === 1 ? first : { type: 'choice', items };
  }

  private sequence(): Expression {
    const items: Expression[] = [];
    while (this.at < this.source.length && this.source[this.at] !== '|' && this.source[this.at] !== ')') {
      items.push(this.quantified(this.atom()));
    }
    return { type: 'sequence', items };
  }

  private quantified(item: Expression): Expression {
    const match = QUANTIFIER.exec(this.source.slice(this.at));
    if (match === null) return item;
    this.at += match[0].length;
    // A lazy quantifier prefers another way to the same answer.
    if (this.source[this.at] === '?') this.at += 1;
    const min = match[1] === undefined ? (match[0] === '+' ? 1 : 0) : Number(match[1]);
    const max =
      match[1] === undefined
        ? match[0] === '?'
          ? 1
          : Infinity
        : match[3] !== ''
          ? Number(match[3])
          : match[2] === ','
            ? Infinity
            : min;
    if (min > MAX_REPEAT || (max !== Infinity && max > MAX_REPEAT)) {
      throw new Unsupported(`It repeats something more than ${MAX_REPEAT} times.`);
    }
    return { type: 'repeat', item, min, max };
  }

  private atom(): Expression {
    const character = String.fromCodePoint(this.source.codePointAt(this.at) ?? 0);
    if (character === '(') return this.group();
    if (character === '[') return this.character(this.classLength());
    if (character === '\\') return this.escape();
    if (character === '^' || character === '$') {
      this.at += 1;
      return { type: character === '^' ? 'start' : 'end' };
    }
    return this.character(character.length);
  }

  private group(): Expression {
    this.at += 1;
    if (this.source.startsWith('?:', this.at)) this.at += 2;
    else if (this.source[this.at] === '?') {
      const name = GROUP_NAME.exec(this.source.slice(this.at));
      if (name === null) throw new Unsupported('It looks ahead or behind, or changes flags, which is not supported.');
      this.at += name[0].length;
    }
    const inner = this.parse();
    this.at += 1;
    return inner;
  }

  private classLength(): number {
    let end = this.at + 1;
    while (this.source[end] !== ']') end += this.source[end] === '\\' ? 2 : 1;
    return end + 1 - this.at;
  }

  private escape(): Expression {
    const text = ESCAPE.exec(this.source.slice(this.at))?.[0] ?? '\\';
    if (/^\\[bB]/.test(text)) throw new Unsupported('It uses a word boundary, which is not supported.');
    if (/^\\(?:[1-9]|k)/.test(text)) throw new Unsupported('It refers back to a group, which is not supported.');
    return this.character(text.length);
  }

  /** One character, class or escape; the platform itself decides what it matches. */
  private character(length: number): Expression {
    const text = this.source.slice(this.at, this.at + length);
    this.at += length;
    const single = new RegExp(`^(?:${text})$`, 'u');
    return { type: 'character', test: (character) => single.test(character) };
  }
}

function push(states: State[], state: State): number {
  if (states.length >= MAX_STATES) throw new Unsupported('It is too large once its repetitions are written out.');
  return states.push(state) - 1;
}

function emit(expression: Expression, states: State[]): void {
  switch (expression.type) {
    case 'character':
      push(states, { type: 'character', test: expression.test });
      return;
    case 'start':
    case 'end':
      push(states, { type: expression.type });
      return;
    case 'sequence':
      for (const item of expression.items) emit(item, states);
      return;
    case 'choice':
      emitChoice(expression.items, states);
      return;
    case 'repeat':
      emitRepeat(expression.item, expression.min, expression.max, states);
      return;
  }
}

function emitChoice(items: readonly Expression[], states: State[]): void {
  const fork: State & { type: 'split' } = { type: 'split', to: [] };
  push(states, fork);
  const joins = items.map((item) => {
    fork.to.push(states.length);
    emit(item, states);
    const join: State & { type: 'split' } = { type: 'split', to: [] };
    push(states, join);
    return join;
  });
  for (const join of joins) join.to.push(states.length);
}

function emitRepeat(item: Expression, min: number, max: number, states: State[]): void {
  for (let count = 0; count < min; count += 1) emit(item, states);
  if (max === Infinity) {
    const loop: State & { type: 'split' } = { type: 'split', to: [] };
    const start = push(states, loop);
    loop.to.push(states.length);
    emit(item, states);
    push(states, { type: 'split', to: [start] });
    loop.to.push(states.length);
    return;
  }
  const exits: (State & { type: 'split' })[] = [];
  for (let count = min; count < max; count += 1) {
    const option: State & { type: 'split' } = { type: 'split', to: [states.length + 1] };
    push(states, option);
    exits.push(option);
    emit(item, states);
  }
  for (const option of exits) option.to.push(states.length);
}

function run(states: readonly State[], value: string): boolean {
  const characters = Array.from(value);
  if (characters.length > MAX_MATCHED_LENGTH) return false;
  let current = closure(states, [0], 0, characters.length);
  for (const [index, character] of characters.entries()) {
    const next: number[] = [];
    for (const at of current) {
      const state = states[at];
      if (state?.type === 'character' && state.test(character)) next.push(at + 1);
    }
    if (next.length === 0) return false;
    current = closure(states, next, index + 1, characters.length);
  }
  return current.has(states.length - 1);
}

/** All states that are reached from `from` without reading a character. */
function closure(states: readonly State[], from: readonly number[], position: number, length: number): Set<number> {
  const seen = new Set(from);
  // A set is walked in order of insertion, also over what is added on the way.
  for (const at of seen) {
    const state = states[at];
    if (state?.type === 'split') for (const to of state.to) seen.add(to);
    else if (state?.type === 'start' && position === 0) seen.add(at + 1);
    else if (state?.type === 'end' && position === length) seen.add(at + 1);
  }
  return seen;
}
