/** What is known of a thrown value, which may be anything. */

/** Its message, or its text. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Code of a failed system call (`ENOENT`, …) or of the library that threw; empty where it has none. */
export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}
