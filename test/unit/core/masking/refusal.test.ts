/** d4: what would destroy output is refused, and ordinary output stays what it is. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { createMasker } from '../../../../src/core/masking/masker.ts';
import { REPOSITORY } from '../../../helpers/cli.ts';
import { times } from '../../../helpers/property.ts';
import { Chance } from './oracle.ts';

describe('refused', () => {
  test.each(['', 'a', 'abc', '123', 'yes', 'no', '\n', 'abc\n', 'äöü', '😀😀😀', '\r\n\r\n'])(
    'too short: %j',
    (secret) => {
      expect(createMasker().add(secret)).toBe('too-short');
      expect(createMasker().add(Buffer.from(secret))).toBe('too-short');
    },
  );

  test.each([
    ...[
      'true',
      'false',
      'null',
      'none',
      'localhost',
      'admin',
      'root',
      'test',
      'password',
      'secret',
      '1234',
      '12345678',
    ],
    ...[
      'default',
      'production',
      'staging',
      'True',
      'FALSE',
      'Password',
      'admin\n',
      ' root ',
      '8080',
      '2026',
      '127.0.0.1',
    ],
    ...['aaaa', '0000000000', '----------------', '    ', '\t \t ', '😀😀😀😀'],
  ])('too common: %j', (secret) => {
    const masker = createMasker();
    expect(masker.add(secret)).toBe('too-common');
    expect(masker.text(`is it ${secret}?`)).toBe(`is it ${secret}?`);
  });

  test.each(['x7Kq', 'äöüß', '😀😀😀🔑', '4711', 'correct horse', 'admin-7', 'password!', 'abab'])(
    'not refused: %j',
    (secret) => {
      const masker = createMasker();
      expect(masker.add(secret)).toBe('masked');
      expect(masker.text(`is it ${secret}?`)).toBe('is it ***?');
    },
  );

  test('not even as a line of a secret', () => {
    const masker = createMasker();
    expect(masker.add('production\nhunter2\nlocalhost')).toBe('masked');
    expect(masker.text('[production] [hunter2] [localhost]')).toBe('[production] [***] [localhost]');
    expect(masker.text('[production\nhunter2\nlocalhost]')).toBe('[***]');
  });
});

const CORPUS_BYTES = 12_000_000;

/** Texts that people wrote: the packages that are installed here. */
function* sources(): Generator<Buffer> {
  const root = path.join(REPOSITORY, 'node_modules');
  const files = readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(?:[cm]?[jt]s|json|md)$/.test(entry.name))
    .map((entry) => path.join(entry.parentPath, entry.name))
    .sort();
  // From all packages, not only from the first.
  const step = Math.max(1, Math.floor(files.length / 1500));
  for (let offset = 0; offset < step; offset += 1) {
    for (let index = offset; index < files.length; index += step) yield readFileSync(files[index]!);
  }
}

function* logs(chance: Chance): Generator<Buffer> {
  for (let line = 0; line < 20_000; line += 1) {
    const id = chance.bytes(16).toString('hex');
    const token = line % 50 === 0 ? ` etag "${chance.base64(24)}"` : '';
    yield Buffer.from(
      `2031-04-02T10:11:${line % 60}Z INFO [${id}] GET /api/v1/orders/${line}?user=anna%20b 200 ${line % 997} ms${token}\n`,
    );
  }
}

function secretsOf(chance: Chance): string[] {
  const alphabet = Array.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.!%');
  return Array.from({ length: 20 }, (_, index) =>
    index % 4 === 0 ? chance.base64(24) : chance.text(alphabet, chance.number(8, 40)),
  );
}

test('ordinary text is what it was, whatever the secrets are', () => {
  for (let seed = 1; seed <= times(1, 10); seed += 1) {
    const chance = new Chance(seed);
    const masker = createMasker();
    for (const secret of secretsOf(chance)) expect(masker.add(secret)).toBe('masked');
    const stream = masker.stream();
    let bytes = 0;
    const pending: Buffer[] = [];
    for (const texts of [sources(), logs(chance)]) {
      let read = 0;
      for (const text of texts) {
        pending.push(text);
        const before = Buffer.concat(pending);
        const out = stream.write(text);
        expect(before.subarray(0, out.length).equals(out)).toBe(true);
        pending.splice(0, pending.length, before.subarray(out.length));
        read += text.length;
        if (read > CORPUS_BYTES) break;
      }
      bytes += read;
    }
    expect(Buffer.concat(pending).equals(stream.end())).toBe(true);
    expect(bytes).toBeGreaterThan(10_000_000);
    console.log(`masking: 20 secrets, ${(bytes / 1e6).toFixed(0)} MB of ordinary text, 0 false masks`);
  }
});
