import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { classic, parse, steps } from './documents.ts';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

describe('digest and history', () => {
  const head = classic({ history: '' });
  test('the digest is over the bytes before the history', () => {
    for (const history of ['# History\n', '# History', '# History\n\n### x\n', '   #  History  ##\n', 'History\n=\n']) {
      expect(parse(head + history)).toMatchObject({
        digest: sha256(head),
        historyOffset: Buffer.byteLength(head),
        problems: [],
      });
    }
  });

  test('it is over the raw bytes: BOM and CRLF count, and mean nothing else', () => {
    const raw = `\ufeff${head.replaceAll('\n', '\r\n')}`;
    const { digest, historyOffset, runbook, problems } = parse(`${raw}# History\r\n`);
    expect(problems).toEqual([]);
    expect(digest).toBe(sha256(raw));
    expect(historyOffset).toBe(Buffer.byteLength(raw));
    expect({ ...runbook, digest: '' }).toEqual({ ...parse(`${head}# History\n`).runbook, digest: '' });
  });

  test('without a history it is over all bytes', () => {
    expect(parse(steps())).toMatchObject({ digest: sha256(steps()), historyOffset: null });
  });

  test('a heading that is none does not end the document', () => {
    const text = classic({ title: '# Restart\n\n```\n# History\n```\n\n> # History\n\n# History\u2028of it\n\n' });
    const { historyOffset, problems } = parse(text);
    expect(historyOffset).toBe(Buffer.byteLength(text) - '# History\n'.length);
    expect(problems.map(({ rule }) => rule)).toEqual(['section-unknown']);
  });

  test('an invalid document has its title, digest and offset', () => {
    const broken = classic({ script: '' });
    expect(parse(broken)).toMatchObject({
      runbook: null,
      title: 'Restart',
      digest: sha256(broken.replace('# History\n', '')),
    });
  });

  test('headings of the history are no headings of the document, also where a script says `# History`', () => {
    const tail = '### t | Exit Code: 0\n\n'.repeat(11_000);
    expect(parse(classic({ script: '# Script\n```sh\n# History\ntrue\n```\n' }) + tail).problems).toEqual([]);
  });

  test('the tail may hold any bytes, and be large', () => {
    const entry = `\n### t | Exit Code: 0\n\n**Stdout:**\n\`\`\`\n${'# output\n===\n'.repeat(1000)}\`\`\`\n`;
    const tail = Buffer.concat([Buffer.from(entry.repeat(200)), Buffer.from([0, 0xff, 0x1b, 0x0a])]);
    expect(parse(Buffer.concat([Buffer.from(classic()), tail])).problems).toEqual([]);
  });
});

describe('silencing', () => {
  const both = (comment: string) =>
    parse(classic({ title: `# Restart\n\n${comment}\n\n`, middle: '# Notes\n\n' }), { fileName: 'X.md' });
  test('a comment silences the warnings of one rule', () => {
    expect(both('').problems.map(({ rule }) => rule)).toEqual(['title-differs', 'section-unknown']);
    expect(both('<!-- runbook: allow title-differs -->').problems.map(({ rule }) => rule)).toEqual(['section-unknown']);
  });

  test('only as a comment of the document itself', () => {
    for (const text of ['`<!-- runbook: allow title-differs -->`', '```\n<!-- runbook: allow title-differs -->\n```']) {
      expect(both(text).problems).toHaveLength(2);
    }
  });
});
