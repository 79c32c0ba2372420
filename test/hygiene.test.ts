/** Nothing in the repository is hidden, bound to one machine, or cut off; and each of these would be found. */
import { lstatSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { execaSync } from 'execa';
import { describe, expect, test } from 'vitest';
import { REPOSITORY } from './helpers/cli.ts';
import { hygieneFindings } from './helpers/hygiene.ts';

/** Paths of a machine that documents show as examples: none so far. */
const EXAMPLES: ReadonlySet<string> = new Set();

/** Of other people's files git would say that they are of dubious ownership, as in the container of a pipeline. */
const TRACKED = execaSync('git', ['-c', 'safe.directory=*', 'ls-files', '-z'], { cwd: REPOSITORY })
  .stdout.split('\0')
  .filter((file) => lstatSync(path.join(REPOSITORY, file), { throwIfNoEntry: false })?.isFile() === true);

const find = (text: string | Buffer, examples?: ReadonlySet<string>): readonly string[] =>
  hygieneFindings({ path: 'a.md', bytes: Buffer.from(text) }, examples);

describe('the repository', () => {
  test('has files to look at', () => {
    expect(TRACKED).toContain('test/hygiene.test.ts');
    expect(TRACKED).toContain('package-lock.json');
  });

  test('hides nothing, names no machine, and cuts nothing off', () => {
    const findings = TRACKED.flatMap((file) =>
      hygieneFindings({ path: file, bytes: readFileSync(path.join(REPOSITORY, file)) }, EXAMPLES),
    );
    expect(findings).toEqual([]);
  });
});

describe('what would be found', () => {
  test.each([
    0x00ad, 0x061c, 0x180e, 0x200b, 0x200c, 0x200d, 0x200e, 0x200f, 0x2028, 0x2029, 0x202a, 0x202e, 0x2060, 0x2064,
    0x2066, 0x2069, 0xfeff, 0xfff9, 0xe0001, 0xe0041, 0xe0100, 0xfe0f, 0x3164, 0x00, 0x07, 0x08, 0x0b, 0x0c, 0x0d, 0x1b,
    0x7f, 0x85, 0x9b,
  ])('the character %#x, anywhere in a line', (point) => {
    const character = String.fromCodePoint(point);
    const name = point.toString(16).toUpperCase().padStart(4, '0');
    expect(find(`first\nbe${character}fore\n`)).toEqual([`a.md:2 has the character U+${name}`]);
    expect(find(`${character}at the start\n`)).toEqual([`a.md:1 has the character U+${name}`]);
  });

  // Put together here, since this file is looked at as well.
  test.each([
    ['home', 'anna'],
    ['root', '.npmrc'],
    ['work', 'project'],
    ['Users', 'anna'],
  ])('a path below %s', (...names) => {
    const absolute = ['', ...names].join('/');
    for (const line of [
      absolute,
      `see ${absolute}/a`,
      `cd "${absolute}"`,
      `file://${absolute}`,
      `PATH=/bin:${absolute}`,
    ])
      expect(find(`${line}\n`)).toEqual([`a.md:1 names ${absolute}`]);
    expect(find(`${absolute}\n`, new Set([absolute]))).toEqual([]);
  });

  test.each([
    ['registry', 'npmjs', 'org'],
    ['registry', 'example', 'com'],
    ['npm', 'pkg', 'github.com'],
    ['eu', 'artifactory', 'example.com'],
  ])('the registry %s.%s.%s', (...parts) => {
    expect(find(`from https://${parts.join('.')}/a\n`)).toHaveLength(1);
  });

  test('where a lock file was made', () => {
    expect(find(`      "resolved": "${['https', '//packages.example/a.tgz'].join(':')}",\n`)).toHaveLength(1);
  });

  test('bytes that are no text, and a last line without its end', () => {
    expect(find(Buffer.from([0x61, 0xff, 0x0a]))).toEqual(['a.md is not UTF-8']);
    expect(find('cut of')).toEqual(['a.md does not end with a line feed']);
  });

  test('nothing in plain text of any language, in a path inside of something, in an image', () => {
    const paths = ['./work/a', 'src/home/b', '$HOME/work/', '${folder}/home/x', 'https://example.com/home/', '/homes/'];
    expect(
      find(`Grüße, “quoted” – 日本語, ελληνικά, é, 🙂 …\n\ttab\n${paths.join('\n')}\nthe registry of packages\n`),
    ).toEqual([]);
    expect(find('')).toEqual([]);
    expect(hygieneFindings({ path: 'logo.png', bytes: Buffer.from([0x89, 0x50, 0x00]) })).toEqual([]);
  });
});
