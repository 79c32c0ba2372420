/** Taking out while others write: what somebody needs by then stays. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { execa } from 'execa';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openSqliteLedger } from '../../../src/adapters/ledger/sqlite.ts';
import { DOCUMENT, operationOf, recordRun, runIdOf, sha256 } from '../../helpers/records.ts';

const NAMER = path.join(import.meta.dirname, '../../helpers/document-naming-writer.ts');

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'pruning-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

test.each([
  [1, 'stays when a run that came meanwhile names it'],
  [0, 'goes when none does'],
])('the text of a document that no run named at first (%i) %s', async (comes) => {
  const file = path.join(folder, 'ledger.sqlite');
  const ledger = openSqliteLedger(file);
  await recordRun(ledger, 1);
  await ledger.prune([runIdOf(1)], operationOf(1, 'prune'));
  // It has the lock when the text is looked for, and gives it back with a run that names the text.
  const writer = execa(process.execPath, [NAMER, file, comes === 1 ? sha256(DOCUMENT) : 'another']);
  await new Promise((resolve) => writer.stdout.once('data', resolve));
  expect(await ledger.forgetDocuments()).toBe(1 - comes);
  await writer;
  expect(await ledger.documentText(sha256(DOCUMENT))).toEqual(comes === 1 ? DOCUMENT : null);
  ledger.close();
});
