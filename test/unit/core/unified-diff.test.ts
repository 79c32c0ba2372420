/** What is shown can be applied: patch(1) makes the second text of the first. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { unifiedDiff } from '../../../src/core/unified-diff.ts';
import { tries } from '../../helpers/property.ts';
import { createRepository, git } from '../../helpers/repository.ts';

test('a changed line with what stands around it', () => {
  const before = 'a\nb\nc\nd\ne\nf\ng\nh\ni\n';
  expect(unifiedDiff('A.md', before, before.replace('e', 'E'))).toBe(
    '--- a/A.md\n+++ b/A.md\n@@ -2,7 +2,7 @@\n b\n c\n d\n-e\n+E\n f\n g\n h\n',
  );
});

test('nothing where nothing differs; an end without a line feed is said', () => {
  expect(unifiedDiff('A.md', 'a\n', 'a\n')).toBe('');
  expect(unifiedDiff('A.md', 'a', 'b\n')).toBe(
    '--- a/A.md\n+++ b/A.md\n@@ -1,1 +1,1 @@\n-a\n\\ No newline at end of file\n+b\n',
  );
});

test('git applies it, whatever the texts', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'runbook-diff-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  createRepository(folder, { '.keep': '' });
  const file = path.join(folder, 'A.md');
  const line = fc.constantFrom('', 'a', 'b', 'c', '# d', '\té\u0000');
  const text = fc.array(line, { maxLength: 30 }).map((lines) => lines.join('\n'));
  fc.assert(
    fc.property(text, text, (before, after) => {
      fc.pre(before !== after && before !== '' && after !== '');
      writeFileSync(file, before);
      writeFileSync(path.join(folder, 'patch'), unifiedDiff('A.md', before, after));
      git(folder, 'apply', 'patch');
      expect(readFileSync(file, 'utf8')).toBe(after);
    }),
    tries(100, 3000),
  );
});

test('texts that have next to nothing in common take no time', () => {
  const lines = (word: string): string => Array.from({ length: 20_000 }, (_, index) => `${word}${index}\n`).join('');
  const diff = unifiedDiff('A.md', lines('a'), lines('b'));
  expect(diff.split('\n')).toHaveLength(40_004);
});
