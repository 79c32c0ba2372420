/** What is said to be kept is on the disk: every transition and every entry is synced, as the kernel sees it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { requires } from '../helpers/requires.ts';

const RUNS = 5;
let folder = '';
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'runbook-durability-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

/** How often a helper synced a file whose path matches. */
async function syncs(helper: string, args: readonly string[], file: RegExp): Promise<number> {
  const writer = path.join(import.meta.dirname, '../helpers', helper);
  const strace = ['-f', '-y', '-e', 'trace=fsync,fdatasync', '-o', path.join(folder, 'trace')];
  await execa('strace', [...strace, process.execPath, writer, ...args], { env: { UV_USE_IO_URING: '0' } });
  const { stdout } = await execa('cat', [path.join(folder, 'trace')]);
  return stdout
    .split('\n')
    .filter((line) => /f(?:data)?sync\(/.test(line) && file.test(line) && !line.includes('resumed')).length;
}

describe.skipIf(!requires('strace'))('durability (needs strace)', () => {
  it('each of the three transitions of a run is synced in the ledger', async () => {
    const ledger = path.join(folder, 'state/ledger.sqlite');
    expect(await syncs('ledger-writer.ts', [ledger, '0', String(RUNS)], /ledger\.sqlite-wal/)).toBeGreaterThanOrEqual(
      3 * RUNS,
    );
  });

  it('each entry is synced in the document', async () => {
    const document = path.join(folder, 'Entry.md');
    writeFileSync(document, '# Entry\n\n# History\n');
    expect(await syncs('history-writer.ts', [document, 'a', String(RUNS), '10'], /Entry\.md/)).toBeGreaterThanOrEqual(
      RUNS,
    );
  });
});
