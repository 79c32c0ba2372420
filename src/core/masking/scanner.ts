/** One automaton on its way through one stream. Positions count the bytes of the stream. */
import { CARRIAGE_RETURN, LINE_FEED } from './alphabet.ts';
import type { Automaton } from './automaton.ts';

/** Line ends in a row that are passed over: three bytes, since a terminal makes CR CR LF of CRLF. */
const LONGEST_BREAK = 3;
/**
 * Of an encoded form at least this much must stand in front of a line end to be held back over it. Otherwise most
 * lines would wait for the next one, because their last letter begins some form; what is let go are one or two letters.
 */
const HELD_OVER_LINE_END = 3;

export class Scanner {
  readonly automaton: Automaton;
  state = 0;
  /** Positions of the line ends that were passed over, in order; those before the current state are of no interest. */
  private breaks: number[] = [];
  /** What is before this has been let go. */
  private floor = 0;

  constructor(automaton: Automaton) {
    this.automaton = automaton;
  }

  /** @returns where the longest secret that ends with this byte begins; -1 where none ends */
  step(byte: number, position: number): number {
    const { automaton } = this;
    if (automaton.alphabet.wraps && (byte === LINE_FEED || byte === CARRIAGE_RETURN)) {
      this.passOver(position);
      return -1;
    }
    this.state = automaton.next(this.state, byte);
    const length = automaton.longestEnd(this.state);
    return length === 0 ? -1 : Math.max(this.floor, this.startOf(length, position + 1));
  }

  /** Where the bytes begin that brought the automaton into its state, when `end` bytes have been read. */
  contextStart(end: number): number {
    return this.startOf(this.automaton.depth(this.state), end);
  }

  /** What is before this cannot be part of a secret any more. */
  safeUpTo(end: number): number {
    return Math.max(this.floor, this.contextStart(end));
  }

  private passOver(position: number): void {
    if (this.state === 0) return;
    if (this.breaks.at(-LONGEST_BREAK) === position - LONGEST_BREAK) {
      this.state = 0;
      return;
    }
    const start = this.contextStart(position);
    if ((this.breaks[0] ?? start) < start) this.breaks = this.breaks.filter((passed) => passed >= start);
    this.breaks.push(position);
    if (this.automaton.depth(this.state) < HELD_OVER_LINE_END) this.floor = position + 1;
  }

  private startOf(length: number, end: number): number {
    let start = end - length;
    for (let index = this.breaks.length - 1; index >= 0 && (this.breaks[index] ?? 0) >= start; index -= 1) start -= 1;
    return start;
  }
}
