/** Names that are nearly right: how near, and which one was meant. */

/**
 * Whether `a` becomes `b` with at most `max` edits (insert, delete, replace, swap two neighbours: optimal string
 * alignment).
 */
export function isNear(a: string, b: string, max: number): boolean {
  if (Math.abs(a.length - b.length) > max || !mayBeNear(a, b, max)) return false;
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

/** Each edit brings at most one letter that `b` has not. Cheap, and never wrong in the negative. */
function mayBeNear(a: string, b: string, max: number): boolean {
  let foreign = 0;
  for (let index = 0; index < a.length; index += 1) {
    if (b.includes(a.charAt(index))) continue;
    foreign += 1;
    if (foreign > max) return false;
  }
  return true;
}

/** More than a person reads at a glance is a list, not a suggestion. */
const MOST = 3;

/**
 * Known names that may have been meant, the likeliest first, at most three: near enough to be a typo (a third of the
 * letters, but two in any case), else those that begin with what was written, or it with them (three letters at least).
 */
export function nearestFew(name: string, known: readonly string[]): readonly string[] {
  const written = name.toLowerCase();
  if (written === '') return [];
  const limit = Math.max(2, Math.floor(name.length / 3));
  const names = [...new Set(known)].map((candidate) => ({ candidate, lower: candidate.toLowerCase() }));
  const typos = names.flatMap(({ candidate, lower }) => {
    const edits = editsBetween(written, lower, limit);
    // Of a name that is as short as what may be wrong in it, nothing would be left.
    return edits === null || edits >= Math.max(lower.length, 1) ? [] : [{ candidate, edits }];
  });
  if (typos.length > 0)
    return typos
      .toSorted((a, b) => a.edits - b.edits)
      .slice(0, MOST)
      .map(({ candidate }) => candidate);
  const begun = names.filter(({ lower }) => {
    const shorter = Math.min(lower.length, written.length);
    return shorter >= 3 && (lower.startsWith(written) || written.startsWith(lower));
  });
  return begun.slice(0, MOST).map(({ candidate }) => candidate);
}

function editsBetween(a: string, b: string, limit: number): number | null {
  for (let edits = 0; edits <= limit; edits += 1) if (isNear(a, b, edits)) return edits;
  return null;
}

/** `Did you mean “A”, “B” or “C”?`; null where nothing is near. */
export function didYouMean(name: string, known: readonly string[]): string | null {
  const few = nearestFew(name, known).map((candidate) => `“${candidate}”`);
  const last = few.at(-1);
  if (last === undefined) return null;
  return `Did you mean ${few.length === 1 ? last : `${few.slice(0, -1).join(', ')} or ${last}`}?`;
}
