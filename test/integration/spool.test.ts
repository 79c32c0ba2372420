import { createHash, randomBytes } from 'node:crypto';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { encodeFrame, MAX_PAYLOAD_BYTES, readFrames } from '../../src/adapters/output/frames.ts';
import { MAX_IN_MEMORY_BYTES } from '../../src/adapters/output/ring.ts';
import { createSpool } from '../../src/adapters/output/spool.ts';
import { createOutputCheck } from '../../src/core/output-check.ts';
import type { OutputStream } from '../../src/core/run.ts';
import { failureOf } from '../helpers/failure.ts';
import { keptOf } from '../helpers/kept.ts';
import type { Kept } from '../helpers/kept.ts';
import { tries } from '../helpers/property.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'spool-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
const join2 = (kept: Pick<Kept, 'chunks'>): Buffer => Buffer.concat(kept.chunks.map(({ bytes }) => bytes));
const numbers = (length: number): Buffer => Buffer.from(Array.from({ length }, (_, n) => n % 251));

/** Every byte with the step and stream that it came from: what may not be mixed up, however it is cut into chunks. */
const tagged = (chunks: readonly { step: number; stream: OutputStream; bytes: Buffer }[]): string[] =>
  chunks.flatMap(({ step, stream, bytes }) => [...bytes].map((byte) => `${step} ${stream} ${byte}`));

describe('what is kept, against the record', () => {
  /** Of an output of 40 bytes, in steps of ten, of which the cap keeps so many; `spoil` is given the bytes of the file. */
  const fits = async (cap: number, spoil: (bytes: Buffer) => Buffer): Promise<boolean> => {
    rmSync(join(folder, 'output'), { recursive: true, force: true });
    const output = createSpool(folder);
    const spool = output.open('run-1', cap);
    for (let at = 0; at < 40; at += 10) spool.write(at / 10, 'stdout', numbers(40).subarray(at, at + 10));
    const summary = spool.close();
    const file = join(folder, 'output', 'run-1');
    writeFileSync(file, spoil(readFileSync(file)));
    const check = createOutputCheck();
    for await (const item of output.read('run-1')) check.take(item);
    return check.fits(summary);
  };

  test.each([40, 20])('with a cap of %s: any byte that is cut off or changed is found', async (cap) => {
    expect(await fits(cap, (bytes) => bytes)).toBe(true);
    let size = 0;
    await fits(cap, (bytes) => {
      size = bytes.length;
      return bytes;
    });
    const missed: number[] = [];
    for (let at = 0; at < size; at += 7) {
      if (await fits(cap, (bytes) => bytes.subarray(0, at))) missed.push(at);
      const change = (bytes: Buffer): Buffer => {
        bytes[at] = (bytes[at] ?? 0) ^ 1;
        return bytes;
      };
      if (await fits(cap, change)) missed.push(-at);
    }
    // Where everything is kept the digest is what counts: its end only repeats it.
    const isOfEnd = (at: number): boolean => cap === 40 && Math.abs(at) >= 40 + 4 * 24;
    expect(missed.filter((at) => !isOfEnd(at))).toEqual([]);
  });

  test('a byte that was changed with its checksum is found where everything is kept', async () => {
    const forge = (bytes: Buffer): Buffer => {
      const [header, payload] = encodeFrame({ kind: 'stdout', sequence: 0, step: 0, payload: Buffer.alloc(10, 'x') });
      return Buffer.concat([header, payload, bytes.subarray(34)]);
    };
    expect(await fits(40, forge)).toBe(false);
  });
});

describe('the output of a run', () => {
  test('is kept whole up to the cap, by step and stream and in order, in a private file', async () => {
    const spool = createSpool(folder).open('run-1', 10);
    spool.write(0, 'stdout', Buffer.from('ab'));
    spool.write(0, 'stderr', Buffer.from('cdef'));
    spool.write(1, 'stdout', Buffer.from('ghij'));
    expect(spool.close()).toEqual({ bytes: 10, dropped: 0, digest: sha256(Buffer.from('abcdefghij')) });
    expect(spool.failure).toBeNull();
    const kept = await keptOf(createSpool(folder), 'run-1');
    expect(kept).toMatchObject({ dropped: 0, gapAt: -1, complete: true });
    expect(kept.chunks.map(({ step, stream, bytes }) => `${step} ${stream} ${String(bytes)}`)).toEqual([
      '0 stdout ab',
      '0 stderr cde',
      '0 stderr f',
      '1 stdout ghij',
    ]);
    expect(statSync(join(folder, 'output')).mode & 0o777).toBe(0o700);
    expect(statSync(join(folder, 'output', 'run-1')).mode & 0o777).toBe(0o600);
  });

  test('is kept as head and tail beyond the cap, with the exact count of what is not there', async () => {
    const spool = createSpool(folder).open('run-1', 10);
    spool.write(0, 'stdout', Buffer.from('0123456789A'));
    expect(spool.close()).toMatchObject({ bytes: 11, dropped: 1 });
    const kept = await keptOf(createSpool(folder), 'run-1');
    expect(kept).toMatchObject({ dropped: 1, gapAt: 1, complete: true });
    expect(kept.chunks.map(({ bytes }) => String(bytes))).toEqual(['01234', '6789A']);
  });

  test('is the head and the tail of what was written, for any cap and any chunks', async () => {
    const chunk = fc.record({
      step: fc.nat(2),
      stream: fc.constantFrom<OutputStream>('stdout', 'stderr'),
      bytes: fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
    });
    let run = 0;
    await fc.assert(
      fc.asyncProperty(fc.nat(90), fc.array(chunk, { maxLength: 12 }), async (cap, chunks) => {
        const [id, output] = [`run-${(run += 1)}`, createSpool(folder)];
        const spool = output.open(id, cap);
        for (const { step, stream, bytes } of chunks) spool.write(step, stream, bytes);
        const summary = spool.close();

        const all = tagged(chunks);
        const head = all.slice(0, Math.floor(cap / 2));
        const rest = all.slice(head.length);
        const tail = rest.slice(Math.max(0, rest.length - Math.ceil(cap / 2)));
        const dropped = all.length - head.length - tail.length;
        const kept = await keptOf(output, id);
        expect(summary).toEqual({ bytes: all.length, dropped, digest: sha256(join2({ chunks })) });
        expect(tagged(kept.chunks)).toEqual([...head, ...tail]);
        expect(kept).toMatchObject({ dropped, complete: true });
        const before = kept.gapAt === -1 ? [] : tagged(kept.chunks.slice(0, kept.gapAt));
        expect(before).toEqual(dropped === 0 ? [] : head);
      }),
      tries(500, 5000),
    );
  });

  test('of 200 MB in odd chunks costs the file its cap and the memory half of it', async () => {
    const cap = 4_000_001;
    const spool = createSpool(folder).open('run-1', cap);
    const pattern = numbers(100_000);
    const digest = createHash('sha256');
    let bytes = 0;
    let peak = 0;
    const before = process.memoryUsage().arrayBuffers;
    for (let n = 0; bytes < 200_000_000; n += 1) {
      const chunk = pattern.subarray(n % 977, 65_521 + (n % 13_001));
      digest.update(chunk);
      spool.write(0, 'stdout', chunk);
      bytes += chunk.length;
      if (n % 100 === 0) peak = Math.max(peak, process.memoryUsage().arrayBuffers - before);
    }
    expect(spool.close()).toEqual({ bytes, dropped: bytes - cap, digest: digest.digest('hex') });
    const kept = await keptOf(createSpool(folder), 'run-1');
    expect(join2(kept)).toHaveLength(cap);
    expect(statSync(join(folder, 'output', 'run-1')).size).toBeLessThan(cap + 10_000);
    // The frames of the head are garbage once they are written, but may not have been collected yet.
    expect(peak).toBeLessThan(2 * cap);
  });

  test('beyond what memory may hold is on disk, without a name, and comes back in order', async () => {
    const cap = 40 * 1024 ** 2 + 1;
    const output = createSpool(folder);
    const spool = output.open('run-1', cap);
    const [head, tail, all] = ['sha256', 'sha256', 'sha256'].map((name) => createHash(name));
    const bytes = 100_000_000;
    const [headEnd, tailStart] = [Math.floor(cap / 2), bytes - Math.ceil(cap / 2)];
    for (let at = 0, n = 0; at < bytes; n += 1) {
      // Of both streams, and larger than a frame now and then.
      const chunk = randomBytes(Math.min(n % 50 === 0 ? 3_000_001 : 65_521 + (n % 13_001), bytes - at));
      head?.update(chunk.subarray(0, Math.max(0, headEnd - at)));
      tail?.update(chunk.subarray(Math.max(0, tailStart - at)));
      all?.update(chunk);
      spool.write(n % 3, n % 2 === 0 ? 'stdout' : 'stderr', chunk);
      at += chunk.length;
      expect(readdirSync(join(folder, 'output'))).toEqual(['run-1']);
    }
    expect(spool.close()).toEqual({ bytes, dropped: bytes - cap, digest: all?.digest('hex') });
    expect(spool.failure).toBeNull();
    const kept = await keptOf(output, 'run-1');
    expect(sha256(join2({ chunks: kept.chunks.slice(0, kept.gapAt) }))).toBe(head?.digest('hex'));
    expect(sha256(join2({ chunks: kept.chunks.slice(kept.gapAt) }))).toBe(tail?.digest('hex'));
    expect(kept).toMatchObject({ dropped: bytes - cap, complete: true });
  });

  test('of single bytes on both streams in turn stays small, and is counted to the byte', async () => {
    const spool = createSpool(folder).open('run-1', 600_000);
    for (let n = 0; n < 500_000; n += 1) spool.write(0, n % 2 === 0 ? 'stdout' : 'stderr', Buffer.of(n % 251));
    const summary = spool.close();
    const kept = await keptOf(createSpool(folder), 'run-1');
    expect(summary.bytes).toBe(500_000);
    expect(kept.dropped).toBe(summary.dropped);
    expect(join2(kept)).toHaveLength(500_000 - summary.dropped);
    expect(summary.dropped).toBe(200_000 - 65_536);
    expect(join2(kept).subarray(-100)).toEqual(Buffer.from(Array.from({ length: 100 }, (_, n) => (499_900 + n) % 251)));
  });
});

describe('the file of an output', () => {
  test('can be read while the run goes on: the head is there at once', async () => {
    const spool = createSpool(folder).open('run-1', 100);
    spool.write(0, 'stdout', Buffer.from('first'));
    const kept = await keptOf(createSpool(folder), 'run-1');
    expect(String(join2(kept))).toBe('first');
    expect(kept.complete).toBe(false);
    spool.close();
  });

  test('torn at any place, or filled with zeros from there, is read up to the last whole frame', async () => {
    const output = createSpool(folder);
    const spool = output.open('run-1', 1000);
    for (const text of ['one', 'two', 'three']) spool.write(0, 'stdout', Buffer.from(text));
    spool.close();
    const whole = readFileSync(join(folder, 'output', 'run-1'));
    const legal = new Set(['', 'one', 'onetwo', 'onetwothree']);
    for (let cut = 0; cut < whole.length; cut += 1) {
      for (const rest of [Buffer.alloc(0), Buffer.alloc(100)]) {
        writeFileSync(join(folder, 'output', 'torn'), Buffer.concat([whole.subarray(0, cut), rest]));
        const kept = await keptOf(output, 'torn');
        expect(legal).toContain(String(join2(kept)));
        expect(kept.complete).toBe(false);
      }
    }
    truncateSync(join(folder, 'output', 'run-1'), whole.length - 1);
    expect(String(join2(await keptOf(output, 'run-1')))).toBe('onetwothree');
  });

  test('with one flipped bit gives nothing from that frame on', async () => {
    const output = createSpool(folder);
    const spool = output.open('run-1', 1000);
    spool.write(0, 'stdout', Buffer.from('one'));
    spool.write(0, 'stdout', Buffer.from('two'));
    spool.close();
    const path = join(folder, 'output', 'run-1');
    const whole = readFileSync(path);
    const second = 24 + 3;
    for (let bit = second * 8; bit < whole.length * 8; bit += 1) {
      const bytes = Buffer.from(whole);
      bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      writeFileSync(path, bytes);
      const kept = await keptOf(output, 'run-1');
      expect(['one', 'onetwo']).toContain(String(join2(kept)));
      expect(kept.complete).toBe(false);
    }
  });

  test('is never opened twice, nor under a name that leaves the folder', async () => {
    const output = createSpool(folder);
    output.open('run-1', 10).close();
    expect(await failureOf(() => output.open('run-1', 10))).toMatchObject({ code: 'io' });
    for (const id of ['../x', '..', '.', '', 'a/b', 'a\0', 'x'.repeat(65)]) {
      expect(() => output.open(id, 10)).toThrow(TypeError);
      expect(await keptOf(output, id)).toMatchObject({ chunks: [], complete: false });
    }
    expect(readdirSync(folder)).toEqual(['output']);
    expect(await keptOf(output, 'unknown')).toEqual({ chunks: [], dropped: 0, gapAt: -1, complete: false });
  });

  test('that cannot be made is an error before anything runs', async () => {
    writeFileSync(join(folder, 'output'), 'a file where the folder should be');
    expect(await failureOf(() => createSpool(folder).open('run-1', 10))).toMatchObject({
      code: 'io',
      fix: expect.stringContaining('--state-dir') as unknown,
    });
  });

  test('is not believed where it says that a frame is longer than frames are', async () => {
    const whole = Buffer.concat(encodeFrame({ kind: 'stdout', sequence: 0, step: 0, payload: Buffer.from('one') }));
    const damaged = Buffer.from(whole);
    damaged.writeUInt32BE(0xffff_ffff, 16);
    let [rest, asked] = [Buffer.concat([whole, damaged]), 0];
    const payloads: string[] = [];
    const read = (into: Buffer): Promise<number> => {
      asked = Math.max(asked, into.length);
      const count = rest.copy(into);
      rest = rest.subarray(count);
      return Promise.resolve(count);
    };
    for await (const { payload } of readFrames(read)) payloads.push(String(payload));
    expect(payloads).toEqual(['one']);
    expect(asked).toBeLessThanOrEqual(2 * MAX_PAYLOAD_BYTES);
  });

  test('whose tail has no place on disk keeps as much of the end as memory may hold', async () => {
    const [cap, bytes] = [40 * 1024 ** 2, 60_000_000];
    const output = createSpool(folder);
    const spool = output.open('run-1', cap);
    mkdirSync(join(folder, 'output', 'run-1.tail'));
    const all = randomBytes(bytes);
    for (let at = 0; at < bytes; at += 65_536) spool.write(0, 'stdout', all.subarray(at, at + 65_536));
    const kept = cap / 2 + MAX_IN_MEMORY_BYTES;
    expect(spool.close()).toEqual({ bytes, dropped: bytes - kept, digest: sha256(all) });
    expect(spool.failure).toMatchObject({ code: 'io' });
    const read = await keptOf(output, 'run-1');
    const [head, tail] = [all.subarray(0, cap / 2), all.subarray(-MAX_IN_MEMORY_BYTES)];
    expect(join2(read).equals(Buffer.concat([head, tail]))).toBe(true);
    expect(read).toMatchObject({ dropped: bytes - kept, complete: true });
  });

  test('that cannot grow does not end the run: the rest is counted as dropped, and why is known', async () => {
    // A file may have 20 KiB here, which are 20 frames of 1000 bytes and their headers: the write fails as on a full disk, without being root.
    const script = `trap '' XFSZ; ulimit -f 20; exec "$0" "$@"`;
    const writer = join(import.meta.dirname, '../helpers/spool-writer.ts');
    const { stdout } = await execa(
      'bash',
      ['-c', script, process.execPath, writer, folder, 'run-1', '100000', '80000'],
      { timeout: 60_000 },
    );
    const told: unknown = JSON.parse(stdout);
    const kept = await keptOf(createSpool(folder), 'run-1');
    const bytes = join2(kept).length;
    expect(bytes).toBe(20_000);
    expect(told).toEqual({
      summary: { bytes: 100_000, dropped: 100_000 - bytes, digest: sha256(Buffer.alloc(100_000, 'x')) },
      failure: expect.stringMatching(/cannot be written \(EFBIG\)/) as unknown,
      code: 'io',
    });
    expect(kept.complete).toBe(false);
  });
});
