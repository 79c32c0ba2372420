/** Whether the large figures are wanted: `npm run test:long`. */
export const isLong = Boolean(process.env['RUNBOOK_TEST_LONG']);

/** How often a property is tried: `npm test` is quick, `npm run test:long` thorough. */
export function times(short: number, long: number): number {
  return isLong ? long : short;
}

/** The same for fast-check, which prints the seed of a failure. */
export function tries(short: number, long: number): { readonly numRuns: number } {
  return { numRuns: times(short, long) };
}
