/** The forms that are covered, by the platform's encoders and by the tools themselves; and those that are not. */
import { gzipSync } from 'node:zlib';
import { execaSync } from 'execa';
import { describe, expect, test } from 'vitest';
import { requires } from '../../../helpers/requires.ts';
import { masked } from './masked.ts';
import { Chance, pem, PRINTERS } from './oracle.ts';

const SECRET = `p@ss "w%rd+/=&'<\\$é😀!~#\`*`;

const QUOTED = [
  SECRET,
  'hunter2-hunter3',
  'two\nlines of it',
  `tab\tand 'quotes'\u001b[0m\r\u0007\u007f!`,
  '=a ~b:~c#d,e{f}[g]',
];

describe('d3: the forms that tools print', () => {
  test.each(Object.keys(PRINTERS))('%s', (name) => {
    for (const secret of [
      SECRET,
      'hunter2-hunter3',
      pem(new Chance(1), 28),
      `a: 1\r\n  the key: ${SECRET}\r\n  - b\r\nend`,
    ]) {
      const { before, text, after } = PRINTERS[name]!(secret, new Chance(7));
      const left = masked([secret], `<${before}${text}${after}>`);
      expect(left.replace(/[\w+/-]{0,2}\r?\n\*{3}/, '***')).toContain('***');
      expect(left.startsWith(`<${before}`)).toBe(true);
      expect(left.length).toBeLessThan(before.length + after.length + 12);
    }
  });

  test.each([
    ['base64', (secret: string) => execaSync('base64', { input: secret }).stdout],
    ['base64 with a line end', (secret: string) => execaSync('base64', ['-w', '20'], { input: `${secret}\n` }).stdout],
    ['od in hex', (secret: string) => execaSync('sh', ['-c', 'od -An -v -tx1 | tr -d " "'], { input: secret }).stdout],
    ['printf %q of bash', (secret: string) => bash('printf %q "$1"', secret)],
    ['printf %q of bash, no UTF-8', (secret: string) => bash('printf %q "$1"', secret, 'C')],
    ['set -x of bash', (secret: string) => bash('set -x; : "$1"', secret)],
    ['declare -p of bash', (secret: string) => bash('X=$1; declare -p X', secret)],
    ['${X@Q} of bash', (secret: string) => bash('echo "${1@Q}"', secret)],
  ])('%s itself', (_, print) => {
    for (const secret of QUOTED) {
      const printed = print(secret);
      const left = masked([secret], printed);
      expect(left).toContain('***');
      // What is around it is short, and says nothing of it.
      expect(left.replaceAll(/declare -- X=|\+ :|[\s'"$:]/g, '').replaceAll(/\*{3}/g, '')).toBe('');
    }
  });

  test.skipIf(!requires('zsh'))('printf %q and ${(q)X} of zsh itself', () => {
    for (const secret of QUOTED) {
      for (const locale of ['C', 'C.UTF-8']) {
        const options = { env: { LC_ALL: locale } };
        const { stdout } = execaSync('zsh', ['-c', 'printf "%q\n" "$1"; print -r -- ${(q)1}', '-', secret], options);
        expect(masked([secret], stdout).replaceAll('\\***', '***')).toBe('***\n***');
        const quoted = execaSync(
          'zsh',
          ['-c', 'set -x; print -r -- ${(qq)1} ${(qqq)1} ${(qqqq)1}; : "$1"', '-', secret],
          options,
        );
        expect(masked([secret], quoted.stdout).replaceAll(/['"$]/g, '')).toBe('*** *** ***');
        expect(masked([secret], quoted.stderr)).toMatch(/ : \$?'?\*{3}'?$/);
      }
    }
  });

  test('bytes that are no text', () => {
    const secret = Buffer.from([0xff, 0xfe, 0, 1, 0x80, 0x41, 0x20, 0x27, 0xc3]);
    const forms = [
      secret,
      secret.toString('hex'),
      secret.toString('base64'),
      '%FF%FE%00%01%80A%20%27%C3',
      String.raw`\377\376\000\001\200A \'\303`,
      String.raw`\xff\xfe\x00\x01\x80A '\xc3`,
    ];
    for (const form of forms) expect(masked([secret], form)).toBe('***');
  });

  test('a line of a secret alone, without the space around it; a short one only within the whole', () => {
    const secret = 'first line\n   second line  \r\nshort\nlast line';
    expect(masked([secret], '[first line] [second line] [short] [last line]')).toBe('[***] [***] [short] [***]');
    expect(masked([secret], `<${secret}>`)).toBe('<***>');
    expect(masked([secret], `<${secret.replaceAll('\r', '')}>`)).toBe('<***>');
    expect(masked([secret], Buffer.from('second line').toString('base64'))).toBe('***');
  });

  test('a secret whose lines all say too little, with either kind of line ends', () => {
    for (const secret of ['ab1\r\ncd2\r\nef3', 'ab1\ncd2\nef3']) {
      const unix = secret.replaceAll('\r', '');
      for (const text of [unix, unix.replaceAll('\n', '\r\n')]) {
        for (const form of [text, encodeURIComponent(text), Buffer.from(text).toString('base64')]) {
          expect(masked([secret], `<${form}> ab1`)).toBe('<***> ab1');
        }
      }
    }
  });

  test('the space around a secret of one line', () => {
    expect(masked(['  hunter2-hunter3 '], '<  hunter2-hunter3 > <hunter2-hunter3>')).toBe('<***> <***>');
  });

  test('a line end at the end does not belong to it', () => {
    for (const end of ['\n', '\r\n', '\n\n']) expect(masked([`hunter2${end}`], 'hunter2 hunter2\n')).toBe('*** ***\n');
  });

  test('a secret of four characters, in base64 as well', () => {
    for (const before of ['', 'a', 'ab', 'user:']) {
      expect(masked(['x7Kq'], Buffer.from(`${before}x7Kq`).toString('base64'))).toMatch(/^[\w+/]*\*{3}$/);
    }
  });
});

describe('what is not covered, and documented so', () => {
  test.each([
    ['reversed', Array.from('hunter2-hunter3').reverse().join('')],
    ['one character a line', Array.from('hunter2-hunter3').join('\n')],
    ['hex with spaces', 'hunter2-hunter3'.replaceAll(/./g, (character) => `${character.charCodeAt(0).toString(16)} `)],
    ['rot13', 'uhagre2-uhagre3'],
    ['in upper case', 'HUNTER2-HUNTER3'],
    ['cut in two', 'hunter2-h\nunter3'],
    ['base64 in indented lines', Buffer.from('hunter2-hunter3').toString('base64').replace(/.{10}/g, '  $&\n')],
    ['compressed', gzipSync('hunter2-hunter3').toString('latin1')],
    ['encoded twice', Buffer.from(Buffer.from('hunter2-hunter3').toString('base64')).toString('base64')],
  ])('%s', (_, text) => {
    expect(masked(['hunter2-hunter3'], Buffer.from(text, 'latin1'))).toBe(text);
  });
});

const bash = (script: string, secret: string, locale = 'C.UTF-8'): string => {
  const { stdout, stderr } = execaSync('bash', ['-c', script, '-', secret], { env: { LC_ALL: locale } });
  return `${stdout}${stderr}`;
};
