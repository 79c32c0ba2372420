/** A stretch of a stream, `[start, end)`. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** Adds a span that ends at or behind all others to spans that do not overlap, in order; it takes in what it overlaps or touches. */
export function unite(spans: Span[], added: Span): void {
  let { start } = added;
  for (let last = spans.at(-1); last !== undefined && last.end >= start; last = spans.at(-1)) {
    start = Math.min(start, last.start);
    spans.pop();
  }
  spans.push({ start, end: added.end });
}
