/** However many documents there are, the ledger is asked once for their last runs. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { createApp } from '../../../src/app.ts';
import type { RunLedger } from '../../../src/core/ports.ts';
import { resolveSettings } from '../../../src/core/settings.ts';
import { latestRunsOf } from '../../../src/engine/latest-runs.ts';

/** The ledger itself; each question is noted. */
function noting(ledger: RunLedger, asked: string[]): RunLedger {
  return new Proxy(ledger, {
    get: (target, name, receiver) => {
      const member: unknown = Reflect.get(target, name, receiver);
      if (typeof member === 'function') asked.push(String(name));
      return member;
    },
  });
}

it('one question for a hundred documents, none for none; a ConfigMap asks once more for what is not found', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'runbook-last-'));
  mkdirSync(path.join(folder, 'runbooks'));
  writeFileSync(path.join(folder, 'runbooks', 'A.md'), '# A\n');
  const app = await createApp(resolveSettings([], 'server'), {
    environment: new Map([['HOME', folder]]),
    cwd: folder,
    ci: false,
    face: 'server',
  });
  onTestFinished(() => {
    app.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const asked: string[] = [];
  const ledger = noting((await app.engine()).ledger, asked);
  const paths = Array.from({ length: 100 }, (_, n) => path.join(folder, 'runbooks', `R${n}.md`));
  expect(await latestRunsOf({ ledger }, paths)).toEqual(new Map());
  expect(asked.splice(0)).toEqual(['latestOf']);
  expect(await latestRunsOf({ ledger }, [])).toEqual(new Map());
  expect(asked.splice(0)).toEqual([]);
  await latestRunsOf({ ledger }, [...paths, '/runbooks/..2026_11_22_10_00_00.1234567/Mapped.md']);
  expect(asked).toEqual(['latestOf', 'list']);
});
