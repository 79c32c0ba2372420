/** What `work` throws or rejects with; null when it does not fail. */
export async function failureOf(work: () => unknown): Promise<unknown> {
  try {
    await work();
    return null;
  } catch (error) {
    return error;
  }
}
