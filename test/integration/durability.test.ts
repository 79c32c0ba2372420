/** What is said to be kept is on the disk: every transition and every entry is synced, as the kernel sees it. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
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

/** What a helper wrote to stdout and what it synced, in order, as the kernel saw it. */
async function traced(helper: string, args: readonly string[]): Promise<readonly string[]> {
  const writer = path.join(import.meta.dirname, '../helpers', helper);
  const strace = ['-f', '-y', '-e', 'trace=fsync,fdatasync,write', '-o', path.join(folder, 'trace')];
  await execa('strace', [...strace, process.execPath, writer, ...args], { env: { UV_USE_IO_URING: '0' } });
  const { stdout } = await execa('cat', [path.join(folder, 'trace')]);
  return stdout.split('\n').filter((line) => /\b(?:f(?:data)?sync|write)\(/.test(line) && !line.includes('resumed'));
}

const isSync = (line: string): boolean => /f(?:data)?sync\(/.test(line);

/** How often a helper synced a file whose path matches. */
async function syncs(helper: string, args: readonly string[], file: RegExp): Promise<number> {
  return (await traced(helper, args)).filter((line) => isSync(line) && file.test(line)).length;
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

  it('whatever changes the chain is synced before it is said, and what may be lost is not', async () => {
    const [ledger, copy] = [path.join(folder, 'ledger.sqlite'), path.join(folder, 'copy/ledger.sqlite')];
    mkdirSync(path.dirname(copy));
    const counts = new Map<string, number>();
    let current = '';
    for (const line of await traced('marking-writer.ts', [ledger, copy])) {
      current = /write\(1<.*"(\w+)\\n", /.exec(line)?.[1] ?? current;
      counts.set(current, (counts.get(current) ?? 0) + Number(isSync(line) && line.includes('ledger.sqlite-wal')));
    }
    for (const left of ['', 'nothing', 'end']) counts.delete(left);
    const synced = [...counts].filter(([, count]) => count > 0).map(([name]) => name);
    console.log([...counts].map(([name, count]) => `${name} ${count}`).join(', '));
    expect(synced).toEqual([...counts.keys()].filter((name) => name !== 'progress' && name !== 'renewLease'));
    expect(counts.size).toBe(12);
  });

  it('a record that somebody waits for is synced, and so is its name', async () => {
    const lines = await traced('record-writer.ts', [path.join(folder, 'record.json')]);
    const synced = lines.filter(isSync).map((line) => /<(.*?)>/.exec(line)?.[1]);
    expect(synced).toEqual([expect.stringMatching(/\/\.record\.json\..*\.tmp$/), folder]);
  });
});
