/** The skim may leave things to the exact look, but it never passes over what that would find. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { renderEntry } from '../../../../src/core/history/document-entry.ts';
import { checkClaimsHeading } from '../../../../src/core/parse/claims-heading.ts';
import { splitDocument } from '../../../../src/core/parse/history.ts';
import { parseRunbook } from '../../../../src/core/parse/parse.ts';
import { Problems } from '../../../../src/core/parse/problems.ts';
import { TailSkim } from '../../../../src/core/parse/tail-skim.ts';
import { checkTail, wholeTail } from '../../../../src/core/parse/tail.ts';
import { entryOf } from '../../../helpers/entries.ts';
import { tries } from '../../../helpers/property.ts';
import { NEAR_CLAIMS } from './cases-claims.ts';
import { classic } from './documents.ts';

const HANG_MS = 3_600_000;
const HEAD = classic();

/** What all of the tail says, read as text. */
function findings(tail: Buffer): readonly string[] {
  const problems = new Problems();
  const document = splitDocument(Buffer.concat([Buffer.from(HEAD), tail]));
  const whole = wholeTail(document);
  checkTail(whole, problems);
  checkClaimsHeading({ ...document, lines: [], blocks: [] }, whole, problems);
  return problems.list(new Set()).map(({ rule, line }) => `${rule} ${line}`);
}

/** @param cuts after which of the line ends a piece ends */
function skim(tail: Buffer, cuts: readonly number[] = []): boolean {
  const one = new TailSkim();
  let start = 0;
  let line = 0;
  for (let end = tail.indexOf(0x0a) + 1; end !== 0; end = tail.indexOf(0x0a, end) + 1, line += 1) {
    if (!cuts.includes(line)) continue;
    one.take(Buffer.from(tail.subarray(start, end)));
    start = end;
  }
  one.take(tail.subarray(start));
  return one.isClean;
}

const ENTRIES = [
  renderEntry(entryOf({})),
  renderEntry(entryOf({ stdout: Buffer.from('# Required Claims\n===\n```\n# Script\n'), stderr: Buffer.from('é\n') })),
  '### 2025-11-02T10:00:00Z | Exit Code: 0\n\n**Stdout:**\n```\n# Limits\n```\n\n**Stderr:**\n```\n\n```\n',
];
const LINES = [
  ...NEAR_CLAIMS,
  ...['Required', 'Claims', 'Requir', 'edClaims', 't: Required', 'Kequired', 'claims x:', 'x\u2028Required Claims'],
  ...['\u0085Required Claims', 'not that: a\vRequired Claims', 'tbx \fRequired Claims', '&#82;equired Claims'],
  ...['<b>Required</b> Claims', 'R\u00e9quired Claims', '#Required Claims of the kind', '- #Required Claims to boot'],
  ...['# Script', '#', '#\tLimits', '   # Steps', '    # Steps', '#\rLimits', '\r# Limits', '===', '=', ' = ', '=\t\r'],
  ...['```', '```', '````', '~~~', '~~~~', ' ```', '   ```', '    ```', '\t```', '``` ', '```\t\r', '\r```', '```sh'],
  ...['```required', '~~~ `', '``` `', '``', '> ```', '- ```', '1. ```', '- ~~~', 'claims```', '```\u00e9'],
  ...['<!-- a -->', '<!--', '-->', '<!-->', '<!-- a --> b', '<!-- runbook:v1 a', '<div>', '<?', '> <!--', '- <div>'],
  ...['- a', '  b', '\tb', '> a', 'a', '', '', '---', '***', '[a]: b', '\ufeff# Limits', '\ufeff```', '\0', 'Üb'],
  ...[
    '> '.repeat(64),
    '> '.repeat(65),
    '>'.repeat(70),
    `>${'\t'.repeat(33)}- a`,
    `${'- '.repeat(65)}a`,
    '1) '.repeat(70),
  ],
];
const piece = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...LINES) },
  { weight: 2, arbitrary: fc.constantFrom(...ENTRIES) },
  { weight: 1, arbitrary: fc.constantFrom('Required Claims', ...NEAR_CLAIMS).chain((text) => splitAnywhere(text)) },
);
/** Over two lines, with whatever letters in between. */
function splitAnywhere(text: string): fc.Arbitrary<string> {
  return fc
    .tuple(fc.nat(text.length), fc.constantFrom('\n', '\nt', 'z\n', '\r\n', ':\n', '\n\n', '\n```\n'))
    .map(([at, between]) => text.slice(0, at) + between + text.slice(at));
}
const tails = fc
  .tuple(
    fc.array(piece, { maxLength: 7 }),
    fc.constantFrom('\n', '\n', '\n', '\r\n', '\r'),
    fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(255)), { maxLength: 2 }),
  )
  .map(([pieces, end, bytes]) => {
    const tail = Buffer.from(pieces.map((text) => `${text.replaceAll('\n', end)}${end}`).join(''));
    for (const [at, byte] of bytes) if (tail.length > 0) tail[Math.floor(at * (tail.length - 1))] = byte;
    return tail;
  });

test(
  'where it sees nothing there is nothing, however the bytes come',
  () => {
    let clean = 0;
    let unclean = 0;
    fc.assert(
      fc.property(tails, fc.array(fc.nat(9), { maxLength: 3 }), (tail, cuts) => {
        if (skim(tail, cuts)) {
          clean += 1;
          expect(findings(tail)).toEqual([]);
        } else unclean += 1;
      }),
      tries(8000, 2_000_000),
    );
    expect(Math.min(clean, unclean)).toBeGreaterThan((clean + unclean) / 20);
  },
  HANG_MS,
);

describe('what is easily overlooked is not', () => {
  test.each([
    'Requird: tbk\nClaims\n',
    'Requird\nClaims: tbk\n',
    '```required\nclaims\n```\n',
    '~~~ requir\ned claims\n~~~\n',
    '```\n    ```\n```\n# Script\n```\n```\n',
    '```\n\t```\n```\n# Script\n',
    '````\n```\n````\n# Script\n',
    '~~~\n```\n~~~\n# Script\n',
    '```\n``` x\n```\n# Script\n',
    '``` `\n# Script\n```\n```\n',
    '> ```\n# Script\n',
    '- ```\n\n# Script\n',
    '```\n   ```\n# Script\n',
    '```\n``` \r\n# Script\n',
    'tbk\u2028Required Claims\n',
    '<!-- runbook:v1 \u000bRequired Claims -->\n',
    '<!-- a\n```\n-->\n# Script\n```\n',
  ])('%j', (text) => {
    expect(findings(Buffer.from(text))).not.toEqual([]);
    expect(skim(Buffer.from(text))).toBe(false);
    expect(skim(Buffer.from(text), [0, 1, 2])).toBe(false);
  });
});

describe('what runs leave behind is understood at once', () => {
  test.each(ENTRIES)('%#', (entry) => {
    expect(skim(Buffer.from(`\n${entry}`.repeat(3)))).toBe(true);
    expect(skim(Buffer.from(`\n${entry}`.repeat(3).replaceAll('\n', '\r\n')))).toBe(true);
  });

  test('notes of people as well', () => {
    const notes =
      'Rolled back by hand, see the ticket:\n\n- the disk was full\n- so was the other one\n\n```sh\ndf -h\n```\n';
    expect(skim(Buffer.from(notes))).toBe(true);
  });
});

describe('what makes a document invalid behind its history still does', () => {
  const history = `\n${ENTRIES.join('\n')}`.repeat(400);
  test.each([
    ['a section', '# Limits\n', 'section-after-history'],
    ['claims', '# Required Claims\n```yaml\nroles: sre\n```\n', 'section-after-history claims-misspelt'],
    ['what reads like claims', '## Required claim\n', 'claims-misspelt'],
    ['an underlined section', 'Script\n======\n', 'section-after-history'],
  ])('%s', (_, text, rules) => {
    for (const place of [text + history, history + text + history, history + text]) {
      const { runbook, problems } = parseRunbook(Buffer.from(`${HEAD}${place}`), { fileName: 'Restart.md' });
      expect(runbook).toBeNull();
      expect(problems.map(({ rule }) => rule).sort()).toEqual(rules.split(' ').sort());
    }
  });
});
