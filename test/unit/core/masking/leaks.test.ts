/** Nothing of a secret gets through, in any form, however the output is cut; and nothing else is touched. */
import { expect, test } from 'vitest';
import { createMasker } from '../../../../src/core/masking/masker.ts';
import type { Masker } from '../../../../src/core/masking/masker.ts';
import { times } from '../../../helpers/property.ts';
import { Chance, chunksOf, filler, pem, PRINTERS, SECRETS, survives } from './oracle.ts';
import type { Chunking } from './oracle.ts';

const DOCUMENTS = times(15_000, 1_000_000);
/** Documents by one masker: to make one takes longer than to use it. */
const BY_ONE_MASKER = 40;
/** So many characters of a form say something. */
const WINDOW = 8;

/** What makes a stream so long that it is filtered. */
const MUCH = Buffer.alloc(256 * 1024);

const CHUNKINGS: readonly Chunking[] = ['small', 'small', 'bytes', 'large', 'whole'];

interface Document {
  readonly bytes: Buffer;
  readonly secret: Buffer;
  readonly before: Buffer;
  readonly after: Buffer;
  readonly printer: string;
}

function documentOf(secret: string, chance: Chance): Document {
  const printer = chance.of(Object.keys(PRINTERS));
  const printed = PRINTERS[printer]!(secret, chance);
  const before = Buffer.concat([filler(chance), Buffer.from(printed.before)]);
  const after = Buffer.concat([Buffer.from(printed.after), filler(chance)]);
  const text = Buffer.from(printed.text);
  return { bytes: Buffer.concat([before, text, after]), secret: text, before, after, printer };
}

/** Two streams of one masker, each cut in its own way, written by turns. */
function interleaved(masker: Masker, documents: readonly Document[], chance: Chance, isFiltered: boolean): Buffer[] {
  const all = documents.map(({ bytes }) => {
    const chunking = bytes.length > 5000 && chance.number(0, 9) > 0 ? 'large' : chance.of(CHUNKINGS);
    const stream = masker.stream();
    if (isFiltered) stream.write(MUCH);
    return { stream, chunks: chunksOf(bytes, chunking, chance), out: [] as Buffer[] };
  });
  for (let turn = 0; all.some(({ chunks }) => turn < chunks.length); turn += 1) {
    for (const { stream, chunks, out } of all) {
      const chunk = chunks[turn];
      if (chunk !== undefined) out.push(Buffer.from(stream.write(chunk)));
    }
  }
  return all.map(({ stream, out }) => Buffer.concat([...out, stream.end()]));
}

/** @returns what is wrong; null where all is well */
function fault({ before, after, secret, printer }: Document, output: Buffer): string | null {
  if (survives(secret, output, WINDOW, [before, after])) return `${WINDOW} characters of ${printer} survive`;
  // base64 in lines: the letters that were let go, and their line end, are of the form itself.
  const expected = printer.includes('lines') ? /^(?:[\w+/-]{1,2}\r?\n)?\*{3}$/ : /^\*{3}$/;
  // A base64 character shared with the next byte, maybe on the next line, may be the one that ends a secret at the end.
  const isRight = (shared: number): boolean => {
    const rest = after.subarray(shared);
    const end = output.length - rest.length;
    if (end < before.length || !before.equals(output.subarray(0, before.length))) return false;
    return rest.equals(output.subarray(end)) && expected.test(output.subarray(before.length, end).toString('latin1'));
  };
  const shared = /^(?:\r?\n)?./s.exec(after.toString('latin1'))?.[0].length ?? 0;
  if (isRight(0) || (printer.startsWith('base64') && isRight(shared))) return null;
  return `of ${printer} this is left: ${JSON.stringify(output.toString('latin1'))}`;
}

test(`d2: nothing survives in ${DOCUMENTS} documents`, () => {
  const began = performance.now();
  const seed = Date.now() % 1_000_000_000;
  const chance = new Chance(seed);
  const kinds = Object.keys(SECRETS);
  let bytes = 0;
  for (let done = 0; done < DOCUMENTS;) {
    const masker = createMasker();
    const secrets = Array.from({ length: chance.number(1, 3) }, () => SECRETS[chance.of(kinds)]!(chance));
    // A key, seldom one of 9 KB: they take long to print.
    if (chance.number(0, 9) === 0) secrets.push(pem(chance, chance.number(0, 9) === 0 ? 138 : 28));
    for (const secret of secrets) expect(masker.add(secret)).toBe('masked');
    const isFiltered = chance.number(0, 11) === 0;
    for (let count = 0; count < BY_ONE_MASKER; count += 2) {
      const documents = [0, 1].map(() => documentOf(chance.of(secrets), chance));
      for (const [index, output] of interleaved(masker, documents, chance, isFiltered).entries()) {
        const document = documents[index]!;
        const wrong = fault(document, output);
        if (wrong !== null)
          throw new Error(
            `seed ${seed}, document ${done}: ${wrong}; ${JSON.stringify(secrets)} in ${JSON.stringify(document.bytes.toString('latin1'))}`,
          );
        done += 1;
        bytes += document.bytes.length;
      }
    }
  }
  console.log(
    `masking: ${DOCUMENTS} documents, ${(bytes / 1e6).toFixed(0)} MB, 0 leaks (seed ${seed}, ${((performance.now() - began) / 1000).toFixed(0)} s)`,
  );
});
