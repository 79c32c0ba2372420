/** Pieces that documents are made of, right and wrong, and edits of the bytes: the ground of the properties. */
import fc from 'fast-check';
import { SECTION_NAMES } from '../../../../src/core/parse/sections.ts';
import { NEAR_CLAIMS } from './cases-claims.ts';
import { CASES } from './cases.ts';
import { claims, classic, fence, section, steps } from './documents.ts';

const HEADINGS = [
  ...SECTION_NAMES.flatMap((name) => [
    `# ${name}`,
    `# ${name} #`,
    `## ${name}`,
    `${name}\n===`,
    `> # ${name}`,
    `# ${name.toLowerCase()}`,
  ]),
  ...NEAR_CLAIMS,
  '# Notes',
  '# Approvals',
  '## One',
  '## Two',
  '### Done when',
  '### Rollback',
  '### Other',
  '#### Deep',
];
const YAML = [
  '',
  'roles: admin',
  '- roles: admin\n- sub: x',
  'A: one\nB_TOKEN:',
  'A:\n  type: integer\n  default: 1',
  'A: {secret: true, generate: 32}',
  'Input: [a, b/c]\nOutput: d',
  'timeout: 1h30m\nconcurrency: 1',
  'timeout: 600',
  'owner: me\nformat: 1\nreview_by: 2020-01-01',
  'confirm: Sure?\ntty: true\noutputs: X',
  'manual: Do it.',
  'retry: 3',
  'a: &x 1\nb: *x',
  'a: !!str b',
  '<<: {a: b}',
  '? [a]\n: b',
  'a: "\\0"',
  'a: b: c',
  '%YAML 1.1\n---\na: b',
  'a: b\n---\nc: d',
  '[[[[[[[[[[[[[[[[[[[[',
  '- - - - - - - - - - - - - - - - - - - a',
  '__proto__: x\nconstructor: y',
  'a: b\na: c',
  'text only',
  'a: |\n  b\n c',
];
const TAGS = [
  'yaml',
  'yaml',
  'yaml',
  'sh',
  'bash',
  'zsh',
  'python',
  'text',
  'yml',
  'YAML',
  'json',
  '',
  'yaml x',
  'shell',
];
const BODIES = [
  'true',
  '',
  ' ',
  '#!/bin/bash -e\ntrue',
  '#!/usr/bin/env node\n1',
  'a\u202eb',
  '```',
  '# History',
  '# Required Claims',
];
const LOOSE = [
  'text',
  '- item',
  '> quote',
  '<!-- comment -->',
  '<!--',
  '-->',
  '<!-- runbook: allow title-differs -->',
  '<!-- runbook: x -->',
  '```',
  '~~~',
  '---',
  '===',
  '\t',
  '    code',
  '\0',
  '\u001b',
  '\r',
  '\ufeff',
  '|a|b|',
  '[a]: b',
  '<div>',
  '</div>',
];

const yamlFence = fc.tuple(
  fc.constantFrom(...TAGS),
  fc.constantFrom(...YAML, ...BODIES),
  fc.constantFrom('```', '~~~', '````', '  ```', '> ```', '- ```'),
);
const piece = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...HEADINGS).map((heading) => `${heading}\n`) },
  { weight: 4, arbitrary: yamlFence.map(([tag, body, mark]) => `${mark}${tag}\n${body}\n${mark}\n`) },
  { weight: 1, arbitrary: fc.constantFrom(...LOOSE).map((text) => `${text}\n`) },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom(...SECTION_NAMES)
      .chain((name) => fc.constantFrom(...YAML).map((yaml) => section(name, yaml))),
  },
);

const VALID: readonly string[] = [
  classic(),
  classic({ middle: claims('roles: admin') }),
  steps(undefined, claims('- roles: admin\n- sub: x')),
  steps(
    `## One\n${fence('yaml', 'tty: true')}${fence('bash', 'true')}### Done when\n${fence('sh', 'true')}## Two\n${fence('yaml', 'manual: x')}`,
  ),
];

/** A document of pieces, a valid one, or one that breaks a rule. */
const base = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .tuple(fc.constantFrom('# A\n', '# A\n', '', '---\n', '\ufeff# A\n'), fc.array(piece, { maxLength: 14 }))
      .map(([title, pieces]) => title + pieces.join('')),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.constantFrom(...VALID), fc.array(piece, { maxLength: 3 }))
      .map(([text, pieces]) => text + pieces.join('')),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      ...CASES.map(({ text }) => (typeof text === 'string' ? text : Buffer.from(text).toString('latin1'))).filter(
        (text) => text.length < 4000,
      ),
    ),
  },
);

interface Edit {
  readonly at: number;
  readonly remove: number;
  readonly insert: readonly number[];
}
const INSERTS = [
  '',
  '\n',
  '#',
  '`',
  '~',
  ' ',
  '\t',
  ':',
  '-',
  '"',
  '*',
  '&',
  '\r',
  '\0',
  '\u00a0',
  '\u200b',
  '# History\n',
  '```\n',
  '<!--',
].map((text) => Array.from(Buffer.from(text)));
const edit: fc.Arbitrary<Edit> = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  remove: fc.constantFrom(0, 0, 1, 2, 8),
  insert: fc.oneof(fc.constantFrom(...INSERTS), fc.array(fc.nat(255), { maxLength: 3 })),
});

/** Bytes of a structured document, in half of the cases changed at random places. */
export const documentBytes: fc.Arbitrary<Uint8Array> = fc
  .tuple(base, fc.boolean(), fc.oneof(fc.constant([]), fc.array(edit, { maxLength: 4 })))
  .map(([text, crlf, edits]) => {
    let bytes: Uint8Array = Buffer.from(crlf ? text.replaceAll('\n', '\r\n') : text);
    for (const { at, remove, insert } of edits) {
      const start = Math.floor(at * bytes.length);
      bytes = Buffer.concat([bytes.subarray(0, start), Uint8Array.from(insert), bytes.subarray(start + remove)]);
    }
    return bytes;
  });
