/** Columns that hold JSON. */

/** What this program has written there: nobody else writes these columns, so the shape is not checked once more. */
// The caller names the shape of the column, which nothing else could tell.
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters
export function stored<T>(json: string): T {
  // As said above.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return JSON.parse(json) as T;
}

// As in `stored`.
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters
export function storedOrNull<T>(json: string | null): T | null {
  return json === null ? null : stored<T>(json);
}
