/** Two who write into one document, one of them on a machine that lets it stand still in the middle. */
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createMarkdownHistory } from '../../src/adapters/document-history/markdown-file.ts';
import { renderEntry } from '../../src/core/history/document-entry.ts';
import { readEntries } from '../../src/core/history/document-history.ts';
import { entryOf } from '../helpers/entries.ts';

test('an entry whose writer stands still is waited for, and not closed off', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'history-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true });
  });
  const document = path.join(folder, 'Restart.md');
  const text = renderEntry(entryOf({ runId: 'slow', stdout: Buffer.from('a line\n'.repeat(100)) }));
  writeFileSync(document, `# Restart\n\n# History\n\n${text.slice(0, 700)}`);
  // Both wait in this process, so this comes before the other one has looked often enough, however slow the machine is.
  setTimeout(() => {
    appendFileSync(document, text.slice(700));
  }, 300);
  const history = createMarkdownHistory({ ci: false });
  await history.append({ path: document, hasHistory: true, stamp: '' }, entryOf({ runId: 'next' }));
  const entries = readEntries(readFileSync(document, 'utf8'));
  expect(entries.map((entry) => entry.origin === 'runbook' && entry.facts.run)).toEqual(['slow', 'next']);
});
