/** The beginning and the end of bytes that come piece by piece, in memory that does not grow with them. */

/** `omitted` bytes are not in `bytes`: they lay in the middle, behind its first half. */
export interface Excerpt {
  readonly bytes: Buffer;
  readonly omitted: number;
}

export class ExcerptOf {
  readonly #half: number;
  readonly #head: Buffer;
  #headLength = 0;
  /** Room for two halves, so that most pieces are only copied in. */
  readonly #tail: Buffer;
  #tailLength = 0;
  #total = 0;

  /** @param half bytes that are kept of the beginning, and as many of the end */
  constructor(half: number) {
    this.#half = half;
    this.#head = Buffer.alloc(half);
    this.#tail = Buffer.alloc(2 * half);
  }

  push(bytes: Buffer): void {
    const fits = bytes.copy(this.#head, this.#headLength);
    const rest = bytes.subarray(fits).subarray(-this.#half);
    if (this.#tailLength + rest.length > this.#tail.length) {
      this.#tail.copyWithin(0, this.#tailLength - this.#half, this.#tailLength);
      this.#tailLength = this.#half;
    }
    this.#tailLength += rest.copy(this.#tail, this.#tailLength);
    this.#headLength += fits;
    this.#total += bytes.length;
  }

  get excerpt(): Excerpt {
    const tail = this.#tail.subarray(0, this.#tailLength).subarray(-this.#half);
    const bytes = Buffer.concat([this.#head.subarray(0, this.#headLength), tail]);
    return { bytes, omitted: this.#total - bytes.length };
  }
}
