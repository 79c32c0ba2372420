/** Bytes of a script as text, as Stage0 sends them: UTF-8, and every line end a line feed. */

export class PlainText {
  readonly #decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  /** A carriage return at the end of a piece may be half a line end. */
  #hasReturn = false;

  push(bytes: Uint8Array): string {
    return this.#normalise(this.#decoder.decode(bytes, { stream: true }), false);
  }

  end(): string {
    return this.#normalise(this.#decoder.decode(), true);
  }

  #normalise(piece: string, isLast: boolean): string {
    let text = this.#hasReturn ? `\r${piece}` : piece;
    this.#hasReturn = !isLast && text.endsWith('\r');
    if (this.#hasReturn) text = text.slice(0, -1);
    return text.replaceAll(/\r\n?/g, '\n');
  }
}
