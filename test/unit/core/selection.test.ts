import { describe, expect, it } from 'vitest';
import { parseRunbook } from '../../../src/core/parse/parse.ts';
import { fits } from '../../../src/core/selection.ts';
import type { Candidate, RunbookQuery } from '../../../src/core/selection.ts';

const NOTHING: RunbookQuery = { search: [], tags: [], owners: [], alerts: [] };

function candidate(name: string, metadata: string, description: string): Candidate {
  const text = `# ${name}\n\n${description}\n\n# Metadata\n\`\`\`yaml\n${metadata}\n\`\`\`\n\n# Steps\n\n## Fence the host\n\`\`\`sh\ntrue\n\`\`\`\n`;
  const { runbook, title } = parseRunbook(Buffer.from(text), { fileName: `${name}.md` });
  expect(runbook).not.toBeNull();
  return { name, title, runbook };
}

const ALL = [
  candidate('DrainNode', 'owner: team-edge\ntags: k8s, nodes\nalerts: NodeNotReady', 'Evicts every pod.'),
  candidate('RotateKey', 'owner: Security\ntags: keys, certificate', 'Gives a server a new key. Safe for a node.'),
  { name: 'Broken', title: 'Broken', runbook: null },
];

const names = (query: Partial<RunbookQuery>): readonly string[] =>
  ALL.flatMap((one) => {
    const score = fits(one, { ...NOTHING, ...query });
    return score === null ? [] : [{ name: one.name, score }];
  })
    .toSorted((a, b) => b.score - a.score)
    .map(({ name }) => name);

describe('fits', () => {
  it.each<readonly [string, Partial<RunbookQuery>, readonly string[]]>([
    ['nothing asked', {}, ['DrainNode', 'RotateKey', 'Broken']],
    ['a tag, whatever its case', { tags: ['K8S'] }, ['DrainNode']],
    ['two tags of one', { tags: ['keys', 'certificate'] }, ['RotateKey']],
    ['two tags of two', { tags: ['k8s', 'keys'] }, []],
    ['a part of a tag', { tags: ['cert'] }, []],
    ['an owner', { owners: ['security'] }, ['RotateKey']],
    ['an alert', { alerts: ['NodeNotReady'] }, ['DrainNode']],
    ['an alert and another owner', { alerts: ['NodeNotReady'], owners: ['Security'] }, []],
    ['a word of a name before one of a text', { search: ['node'] }, ['DrainNode', 'RotateKey']],
    ['a word of a description', { search: ['evicts'] }, ['DrainNode']],
    ['a word of a step', { search: ['fence'] }, ['DrainNode', 'RotateKey']],
    ['a tag as a word', { search: ['certif'] }, ['RotateKey']],
    ['several words, in any order', { search: ['pod drain'] }, ['DrainNode']],
    ['one of the words is nowhere', { search: ['drain', 'qqq'] }, []],
    ['a document that is not valid, by its name', { search: ['brok'] }, ['Broken']],
  ])('%s', (_, query, expected) => {
    expect(names(query)).toEqual(expected);
  });
});
