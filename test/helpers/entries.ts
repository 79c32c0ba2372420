/** Entries of a history, for tests that write and read documents. */
import type { DocumentEntry } from '../../src/core/history/document-entry.ts';

export function entryOf(change: Partial<DocumentEntry>): DocumentEntry {
  return {
    runId: 'run-1',
    finishedAt: '2026-01-23T14:33:02.123Z',
    exitCode: 3,
    outcome: 'failed',
    subject: 'alice',
    stdout: Buffer.alloc(0),
    stderr: Buffer.alloc(0),
    omitted: { stdout: 0, stderr: 0 },
    dropped: 0,
    error: null,
    ...change,
  };
}
