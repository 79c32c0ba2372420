/** The last bytes of a stream, addressed by their position in it. */
export class Window {
  /** Position of the first byte that is kept. */
  start = 0;
  private bytes = Buffer.alloc(0);
  private from = 0;
  private to = 0;

  /** Position behind the last byte. */
  get end(): number {
    return this.start + this.to - this.from;
  }

  append(chunk: Uint8Array): void {
    const length = this.to - this.from;
    if (this.to + chunk.length > this.bytes.length) {
      // Twice the room, so that single bytes are not each paid with a copy of all.
      const roomy = length + chunk.length > this.bytes.length / 2;
      const target = roomy ? Buffer.alloc(2 * (length + chunk.length)) : this.bytes;
      this.bytes.copy(target, 0, this.from, this.to);
      this.bytes = target;
      this.from = 0;
      this.to = length;
    }
    this.bytes.set(chunk, this.to);
    this.to += chunk.length;
  }

  /** A copy: the memory here is used again. */
  slice(from: number, to: number): Buffer {
    return Buffer.from(this.bytes.subarray(this.from + from - this.start, this.from + to - this.start));
  }

  dropBefore(position: number): void {
    this.from += position - this.start;
    this.start = position;
  }

  /** Empty, at `position`. */
  restart(position: number): void {
    this.start = position;
    this.from = 0;
    this.to = 0;
    // A long secret may have gone by; it need not stay.
    if (this.bytes.length > 65_536) this.bytes = Buffer.alloc(0);
  }
}
