/**
 * What masking costs: `node bench/masking.ts`. Every row is also given as a share of the floor, a loop that copies the
 * same chunks, measured in the same run; that share says more than the megabytes of one machine.
 */
import { createHash } from 'node:crypto';
import { createMasker } from '../src/core/masking/masker.ts';
import type { Masker } from '../src/core/masking/masker.ts';

const CHUNK = 65_536;
const MEGABYTE = 1_000_000;
const MIN_MS = 1000;

/** The same bytes in every run. */
function noise(bytes: number, seed: string): Buffer {
  const blocks: Buffer[] = [];
  for (let index = 0; index * 64 < bytes; index += 1) {
    blocks.push(createHash('sha512').update(`${seed} ${index}`).digest());
  }
  return Buffer.concat(blocks).subarray(0, bytes);
}

function chunksOf(data: Buffer): readonly Buffer[] {
  return Array.from({ length: Math.ceil(data.length / CHUNK) }, (_, index) =>
    data.subarray(index * CHUNK, (index + 1) * CHUNK),
  );
}

function maskerOf(count: number): Masker {
  const masker = createMasker();
  for (let index = 0; index < count; index += 1)
    masker.add(`${noise(15, `secret ${index}`).toString('base64')}-/+ %"'é`);
  return masker;
}

/** @returns MB/s; the best of some rounds, since anything else on the machine only makes it slower */
function speed(chunks: readonly Buffer[], take: (chunk: Buffer) => Buffer): number {
  const bytes = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  let best = Infinity;
  for (const began = performance.now(); performance.now() - began < MIN_MS;) {
    const start = performance.now();
    let kept = 0;
    for (const chunk of chunks) kept += take(chunk).length;
    best = Math.min(best, performance.now() - start);
    if (kept === 0) throw new Error('nothing came out');
  }
  return bytes / MEGABYTE / (best / 1000);
}

const log = Array.from(
  { length: 6000 },
  (_, index) =>
    `2031-04-${String(1 + (index % 28)).padStart(2, '0')} 10:${index % 60}:07 INFO request ${index} from 10.0.${index % 256}.7 ` +
    `took ${index % 997} ms, status 200, user anna${index % 77}, path /api/v1/orders/${index}\n`,
).join('');
const ordinary = chunksOf(Buffer.from(log));
const base64 = chunksOf(
  Buffer.from(
    noise(0.5 * MEGABYTE, 'text')
      .toString('base64')
      .replaceAll(/.{76}/g, '$&\n'),
  ),
);
const floor = speed(ordinary, (chunk) => Buffer.from(chunk));

const rows = [
  ['no secrets', 0, 'ordinary', ordinary],
  ['1 secret', 1, 'ordinary', ordinary],
  ['1 secret', 1, 'base64', base64],
  ['12 secrets', 12, 'ordinary', ordinary],
  ['12 secrets', 12, 'base64', base64],
  ['50 secrets', 50, 'ordinary', ordinary],
  ['50 secrets', 50, 'base64', base64],
] as const;

console.log(`${'secrets'.padEnd(12)}${'text'.padEnd(10)}${'MB/s'.padStart(9)}${'of floor'.padStart(10)}`);
console.log(`${'(copying)'.padEnd(12)}${'ordinary'.padEnd(10)}${floor.toFixed(0).padStart(9)}${'1'.padStart(10)}`);
for (const [secrets, count, text, chunks] of rows) {
  const stream = maskerOf(count).stream();
  const found = speed(chunks, (chunk) => stream.write(chunk));
  // Without secrets nothing is even copied.
  const [speeds, share] = found > floor ? ['-', '> 1'] : [found.toFixed(0), (found / floor).toPrecision(2)];
  console.log(`${secrets.padEnd(12)}${text.padEnd(10)}${speeds.padStart(9)}${share.padStart(10)}`);
}
