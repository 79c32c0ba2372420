/** The end of what a script has printed, for who does not see it any more. */
import { stripVTControlCharacters } from 'node:util';
import { shorten } from '../describe.ts';
import { printable } from '../render.ts';

const LINES = 10;
const COLUMNS = 500;
const BYTES = 8 * 1024;

/** Holds no more than it needs, whatever passes. */
export class LastLines {
  #chunks: Buffer[] = [];
  #bytes = 0;

  add(chunk: Buffer): void {
    // A copy, since a part would keep the whole.
    this.#chunks.push(Buffer.from(chunk.subarray(-BYTES)));
    this.#bytes += Math.min(chunk.length, BYTES);
    if (this.#bytes > 4 * BYTES) this.#take();
  }

  clear(): void {
    this.#chunks = [];
    this.#bytes = 0;
  }

  /** Ten at most, without escape sequences; of a line that was drawn several times the last. Empty: nothing was printed. */
  lines(): readonly string[] {
    const isCut = this.#bytes > BYTES;
    const text = stripVTControlCharacters(this.#take().toString('utf8')).replaceAll('\r\n', '\n').replace(/\n+$/, '');
    if (text === '') return [];
    const all = text.split('\n');
    // The first may be half a line.
    const whole = isCut && all.length > 1 ? all.slice(1) : all;
    return whole
      .slice(-LINES)
      .map((line) => shorten(printable(line.replace(/\r+$/, '').replace(/^.*\r/s, '')), COLUMNS));
  }

  #take(): Buffer {
    const all = Buffer.concat(this.#chunks);
    const end = all.subarray(-BYTES);
    this.#chunks = [end];
    // What was cut stays known.
    this.#bytes = Math.min(all.length, BYTES + 1);
    return end;
  }
}
