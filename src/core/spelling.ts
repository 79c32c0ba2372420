/** Names that are nearly right: how near, and which one was meant. */

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

/** The known name that is nearest, if it is near enough to be a typo: a third of the letters, but two in any case. */
export function nearest(name: string, known: readonly string[]): string | null {
  const limit = Math.max(2, Math.floor(name.length / 3));
  for (let edits = 0; edits <= limit; edits += 1) {
    const found = known.find((candidate) => isNear(name.toLowerCase(), candidate.toLowerCase(), edits));
    if (found !== undefined) return found;
  }
  return null;
}
