/** How often a property is tried: `npm test` is quick, `RUNBOOK_TEST_LONG` thorough. fast-check prints the seed. */
export function tries(short: number, long: number): { readonly numRuns: number } {
  return { numRuns: process.env['RUNBOOK_TEST_LONG'] ? long : short };
}
