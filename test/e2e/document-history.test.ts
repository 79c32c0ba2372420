/** The document as a record of runs that know nothing of each other. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { readEntries } from '../../src/core/history/document-history.ts';
import { classic, createHome } from '../helpers/cli.ts';

test('runs at once from processes with state folders of their own are all in the document, each whole', async () => {
  const home = createHome();
  // Long enough for an entry to be cut, and each its own.
  home.write('Task.md', classic('Task', 'for n in $(seq 900); do echo "$WHO says line $n"; done', { env: 'WHO: who' }));
  const stage0 = '\n### 2025-11-02T10:00:00.000Z | Exit Code: 1\n\n**Stdout:**\n```\nhi\n\n```\n';
  const before = `${readFileSync(path.join(home.folder, 'Task.md'), 'utf8')}${stage0}`;
  home.write('Task.md', before);
  const ended = await Promise.all(
    ['a', 'b', 'c', 'd'].map(async (who) => {
      const args = [
        'execute',
        '-q',
        './Task.md',
        '--history',
        'file',
        '--state-dir',
        `state-${who}`,
        '--env',
        `WHO=${who}`,
      ];
      return [await home.run(args), await home.run(args)];
    }),
  );
  expect(ended.flat().map(({ exitCode, stderr }) => ({ exitCode, stderr }))).toEqual(
    Array.from({ length: 8 }, () => ({ exitCode: 0, stderr: expect.any(String) as string })),
  );
  const after = readFileSync(path.join(home.folder, 'Task.md'), 'utf8');
  expect(after.startsWith(before)).toBe(true);
  const [foreign, ...ours] = readEntries(after);
  expect(foreign).toEqual({ origin: 'foreign', finishedAt: '2025-11-02T10:00:00.000Z', exitCode: 1 });
  const shown = ours.map((entry) => (entry.origin === 'runbook' && entry.stdout?.head.split('\n', 1)[0]) || 'foreign');
  expect(shown.toSorted((a, b) => a.localeCompare(b))).toEqual(
    ['a', 'a', 'b', 'b', 'c', 'c', 'd', 'd'].map((who) => `${who} says line 1`),
  );
  expect(after.match(/^# History$/gm)).toHaveLength(1);
  expect(after).not.toContain('incomplete');
});
