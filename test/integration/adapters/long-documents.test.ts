/** Of a document with a long history only the beginning is kept, and what the parser says of it is the same. */
import fc from 'fast-check';
import { appendFileSync, openSync, closeSync, truncateSync, writeFileSync } from 'node:fs';
import { mkdtemp, open, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createFolderSource } from '../../../src/adapters/source/folder.ts';
import { readDocument, SMALL_BYTES } from '../../../src/adapters/source/read.ts';
import { renderEntry } from '../../../src/core/history/document-entry.ts';
import { parseRunbook } from '../../../src/core/parse/parse.ts';
import { entryOf } from '../../helpers/entries.ts';
import { tries } from '../../helpers/property.ts';
import { classic } from '../../unit/core/parse/documents.ts';
import { documentBytes } from '../../unit/core/parse/fragments.ts';

const HANG_MS = 3_600_000;
const OPTIONS = { fileName: 'Restart.md', today: '2026-11-22' };

let folder: string;
let file: string;
beforeEach(async () => {
  folder = await realpath(await mkdtemp(path.join(tmpdir(), 'runbook-long-')));
  file = path.join(folder, 'Restart.md');
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});
const source = () => createFolderSource({ folder, cwd: folder });
const entry = `\n${renderEntry(entryOf({ stdout: Buffer.from('# Required Claims\n===\n# History\né\n'.repeat(20)) }))}`;
const long = (bytes: number): string => entry.repeat(Math.ceil(bytes / Buffer.byteLength(entry)));
const HISTORY = long(SMALL_BYTES);

describe('what is loaded', () => {
  it('ends with the heading of a history that says nothing of the document', async () => {
    for (const heading of ['# History\n', '  # History ##\n', 'History\n=======\n', '# History\r\n']) {
      const text = classic({ history: '' }) + heading;
      writeFileSync(file, text + long(3_000_000));
      expect((await source().load('Restart')).bytes.toString()).toBe(text);
      expect((await source().list()).map(({ bytes }) => bytes?.toString())).toEqual([text]);
    }
  });

  it('is everything where that is asked for, or a line of the history bears on the document', async () => {
    for (const tail of ['', '# Limits\n', '## Required claims\n']) {
      // More than is looked at at once.
      const text = classic() + long(600_000) + tail + HISTORY;
      writeFileSync(file, text);
      expect((await source().load('Restart', 'whole')).bytes.toString()).toBe(text);
      const { bytes } = await source().load('Restart');
      expect(bytes.toString() === text).toBe(tail !== '');
      expect(parseRunbook(bytes, OPTIONS)).toEqual(parseRunbook(Buffer.from(text), OPTIONS));
    }
  });

  it(
    'says the same as all of it',
    async () => {
      let shortened = 0;
      const text = fc
        .tuple(
          documentBytes,
          fc.constantFrom('# History\n', '', '```\n# History\n'),
          fc.boolean(),
          documentBytes,
          fc.nat(2),
        )
        .map(([head, heading, isLate, tail, where]) => {
          // The heading also behind what is read first.
          const filler = Buffer.from(isLate ? `\n${'It does what it says.\n'.repeat(SMALL_BYTES / 20)}` : '');
          const parts = [tail, Buffer.from(HISTORY)];
          if (where === 0) parts.reverse();
          if (where === 2) parts.shift();
          return Buffer.concat([head, filler, Buffer.from(`\n${heading}`), ...parts]);
        });
      await fc.assert(
        fc.asyncProperty(text, async (whole) => {
          writeFileSync(file, whole);
          const { bytes } = await source().load('Restart');
          if (bytes.length < whole.length) shortened += 1;
          expect(whole.subarray(0, bytes.length).equals(bytes)).toBe(true);
          expect(parseRunbook(bytes, OPTIONS)).toEqual(parseRunbook(whole, OPTIONS));
        }),
        tries(100, 20_000),
      );
      expect(shortened).toBeGreaterThan(0);
    },
    HANG_MS,
  );

  it('is the whole file where a line is longer than what is looked at at once', async () => {
    const text = `${classic()}${'x'.repeat(1_200_000)}\n${HISTORY}`;
    writeFileSync(file, text);
    expect((await source().load('Restart')).bytes.toString()).toBe(text);
  });
});

describe('a file that changes while it is read', () => {
  const text = classic() + long(2_000_000);
  const size = Buffer.byteLength(text);
  it.each([
    ['is cut off', (): void => truncateSync(file, size >> 1)],
    ['becomes empty', (): void => truncateSync(file, 0)],
    ['grows', (): void => appendFileSync(file, entry)],
  ])('and %s is read to some end', async (_, change) => {
    writeFileSync(file, text);
    const handle = await open(file);
    try {
      const reading = readDocument(handle, size);
      change();
      const bytes = await reading;
      expect((text + entry).startsWith(bytes.toString())).toBe(true);
    } finally {
      await handle.close();
    }
  });
});

it('opens no more files than it closes', async () => {
  for (let n = 0; n < 300; n += 1) writeFileSync(path.join(folder, `Number${n}.md`), classic());
  writeFileSync(file, classic() + HISTORY);
  const lowest = (): number => {
    const fd = openSync(file, 'r');
    closeSync(fd);
    return fd;
  };
  const before = lowest();
  expect((await source().list()).length).toBe(301);
  expect(lowest()).toBe(before);
});
