import { describe, expect, test } from 'vitest';
import { createMasker } from '../../../../src/core/masking/masker.ts';
import type { Masker } from '../../../../src/core/masking/masker.ts';
import type { MaskStream } from '../../../../src/core/masking/stream.ts';
import { Chance } from './oracle.ts';
import { masked } from './masked.ts';

describe('what is masked', () => {
  test('secrets that overlap or touch become one', () => {
    expect(masked(['abcdeg', 'degxhi', 'klmnop'], 'abcdegxhijklmnopabcdeg')).toBe('***j***');
    expect(masked(['abcabc'], 'abcabcabcabcabcab')).toBe('***ab');
  });

  test('a secret within another, and one that begins like another', () => {
    expect(masked(['secret-long-one', 'long'], 'secret-long-onf')).toBe('secret-***-onf');
    expect(masked(['hunter2', 'hunter2hunter2'], 'hunter2hunter')).toBe('***hunter');
  });

  test('nothing else, whatever bytes it is', () => {
    const bytes = Buffer.from(Array.from({ length: 4096 }, (_, index) => (index * 167) & 0xff));
    expect(masked(['hunter2-hunter3'], bytes)).toBe(bytes.toString('latin1'));
  });

  test('a text by itself', () => {
    const masker = createMasker();
    const lone = `half of a pair: \uD83D`;
    expect(masker.text('hunter2')).toBe('hunter2');
    masker.add('hunter2');
    expect(masker.text('the key is hunter2, é.')).toBe('the key is ***, é.');
    expect(masker.text('hunter')).toBe('hunter');
    expect(masker.text(lone)).toBe(lone);
    expect(masker.text('')).toBe('');
  });
});

describe('a stream', () => {
  test('is passed on as it is while there are no secrets', () => {
    const chunk = Buffer.from('hunter2');
    const stream = createMasker().stream();
    expect(stream.write(chunk)).toBe(chunk);
    expect(stream.end()).toHaveLength(0);
  });

  test('is passed on without a copy where nothing is in it', () => {
    const masker = createMasker();
    masker.add('hunter2');
    const chunk = Buffer.from('nothing to see here');
    expect(masker.stream().write(chunk).buffer).toBe(chunk.buffer);
  });

  test('keeps what it holds back when the chunk is used again', () => {
    const masker = createMasker();
    masker.add('hunter2');
    const stream = masker.stream();
    const chunk = Buffer.from('a hunter');
    expect(stream.write(chunk).toString()).toBe('a ');
    chunk.fill(0x78);
    expect(stream.end().toString()).toBe('hunter');
  });

  test('lets go what cannot be part of a secret, at once', () => {
    const masker = createMasker();
    masker.add('hunter2-hunter3');
    const stream = masker.stream();
    const steps = ['Continue? [y/n] ', 'hunter2', '-hunter', '4', '\n', 'hunter2-hunter3', '.'];
    expect(steps.map((step) => stream.write(Buffer.from(step)).toString())).toEqual([
      'Continue? [y/n] ',
      '',
      '',
      'hunter2-hunter4',
      '\n',
      '',
      '***.',
    ]);
  });

  test('does not keep a line because its last letter begins some encoded form', () => {
    const masker = createMasker();
    const chance = new Chance(3);
    for (let count = 0; count < 50; count += 1) masker.add(chance.base64(18));
    const stream = masker.stream();
    const late = Array.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789').filter(
      (letter) =>
        !stream
          .write(Buffer.from(`the server is ready${letter}\n`))
          .toString()
          .endsWith('\n'),
    );
    expect(late).toEqual([]);
  });

  test('begins anew after its end', () => {
    const masker = createMasker();
    masker.add('hunter2');
    const stream = masker.stream();
    stream.write(Buffer.from('hun'));
    expect(stream.end().toString()).toBe('hun');
    expect(stream.write(Buffer.from('ter2 hunter2.')).toString()).toBe('ter2 ***.');
    expect(stream.end()).toHaveLength(0);
    expect(stream.end()).toHaveLength(0);
  });

  test('does not mix with another', () => {
    const masker = createMasker();
    masker.add('hunter2');
    const [out, error] = [masker.stream(), masker.stream()];
    const seen = [out.write(Buffer.from('hun')), error.write(Buffer.from('ter2 hunt')), out.write(Buffer.from('ter2'))];
    expect([...seen, error.end(), out.end()].map(String)).toEqual(['', 'ter2 ', '', 'hunt', '***']);
  });
});

describe('a secret that is added on the way', () => {
  test('counts from the next byte on, in streams that are open', () => {
    const masker = createMasker();
    const stream = masker.stream();
    expect(stream.write(Buffer.from('hunter2 ')).toString()).toBe('hunter2 ');
    masker.add('hunter2');
    expect(stream.write(Buffer.from('hunter2 ')).toString()).toBe('*** ');
  });

  test('is found in what was held back', () => {
    const masker = createMasker();
    masker.add('abcdeg-first');
    const stream = masker.stream();
    expect(stream.write(Buffer.from('1 abcdeg')).toString()).toBe('1 ');
    masker.add('cdegXYZ');
    expect(stream.write(Buffer.from('XYZ 2')).toString()).toBe('ab*** 2');
    masker.add('another');
    expect(stream.write(Buffer.from('abcdeg-fir')).toString()).toBe('');
    masker.add('abcdeg');
    expect(stream.end().toString()).toBe('***-fir');
  });

  test('does not make another one forgotten that has begun', () => {
    const masker = createMasker();
    masker.add('hunter2-hunter3');
    masker.add('hunter2');
    const stream = masker.stream();
    stream.write(Buffer.from('hunter2-'));
    masker.add('hunter4');
    stream.write(Buffer.from('hunt'));
    masker.add('hunter5');
    expect(stream.write(Buffer.from('er3.')).toString()).toBe('***.');
  });

  test('does not make one forgotten whose first letters were let go before a line end', () => {
    const masker = createMasker();
    masker.add('hunter2-hunter3-hunter4');
    const stream = masker.stream();
    const form = Buffer.from('hunter2-hunter3-hunter4').toString('base64');
    expect(stream.write(Buffer.from(`${form.slice(0, 2)}\n`)).toString()).toBe(`${form.slice(0, 2)}\n`);
    masker.add('something else');
    expect(stream.write(Buffer.from(`${form.slice(2)}.`)).toString()).toBe('***.');
  });

  describe('where letters were let go before a line end', () => {
    const form = Buffer.from('hunter2-hunter3').toString('base64');
    const start = `${form[0]}\r\n${form[1]}\n`;
    const begun = (): { readonly masker: Masker; readonly stream: MaskStream } => {
      const masker = createMasker();
      masker.add('hunter2-hunter3');
      return { masker, stream: masker.stream() };
    };

    test('one that lies in them comes too late', () => {
      const { masker, stream } = begun();
      expect(stream.write(Buffer.from(start)).toString()).toBe(start);
      masker.add(start);
      expect(stream.write(Buffer.from('.')).toString()).toBe('.');
      expect(stream.write(Buffer.from(`${start}.`)).toString()).toBe('***\n.');
    });

    test('one that begins in them is masked from there on', () => {
      const { masker, stream } = begun();
      stream.write(Buffer.from(start));
      masker.add(`${start}xyz`);
      expect(stream.write(Buffer.from('xy')).toString()).toBe('');
      expect(stream.write(Buffer.from('z.')).toString()).toBe('***.');
    });

    test('they are let go only once', () => {
      const { masker, stream } = begun();
      stream.write(Buffer.from(start));
      masker.add(`${start}xyz`);
      expect(stream.write(Buffer.from('x')).toString()).toBe('');
      masker.add(start);
      expect(stream.write(Buffer.from('.')).toString()).toBe('x.');
    });

    test('one that has been found there is not lost', () => {
      const { masker, stream } = begun();
      masker.add(`${form.slice(2)} and more`);
      expect(stream.write(Buffer.from(start)).toString()).toBe(start);
      expect(stream.write(Buffer.from(`${form.slice(2)} an`)).toString()).toBe('');
      masker.add('something else');
      expect(stream.write(Buffer.from('.')).toString()).toBe('*** an.');
    });
  });

  test('may be there already', () => {
    const masker = createMasker();
    expect([masker.add('hunter2'), masker.add('hunter2\n'), masker.add(Buffer.from('hunter2'))]).toEqual([
      'masked',
      'masked',
      'masked',
    ]);
    expect(masker.text('hunter2')).toBe('***');
  });
});
