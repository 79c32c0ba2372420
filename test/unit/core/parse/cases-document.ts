/** Wrong documents as a whole, and wrong sections. */
import { type Case, middle, script } from './case.ts';
import { claims, classic, fence, steps } from './documents.ts';

const bytes = (...parts: (string | number[])[]): Uint8Array =>
  Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : Buffer.from(part))));

export const DOCUMENT: readonly Case[] = [
  { rule: 'not-utf8', name: 'a Latin-1 letter', text: bytes('# A', [0xe9], classic().slice(1)), line: 1 },
  {
    rule: 'not-utf8',
    name: 'half a character',
    text: bytes(classic({ history: '' }), [0xc3], '\n# History\n'),
    line: 17,
  },
  { rule: 'control-character', name: 'NUL', text: classic({ title: '# Restart\n\na\0b\n\n' }), line: 3 },
  { rule: 'control-character', name: 'escape', text: classic({ title: '# Restart\n\n\u001b[1m\n\n' }), line: 3 },
  { rule: 'control-character', name: 'a CR alone', text: classic({ title: '# Restart\n\na\rb\n\n' }), line: 3 },
  { rule: 'control-character', name: 'C1', text: classic({ title: '# Restart\n\na\u0085b\n\n' }), line: 3 },
  { rule: 'hidden-character', name: 'bidi in a script', text: script(fence('sh', 'true\nif \u202e x')), line: 15 },
  { rule: 'hidden-character', name: 'zero width in yaml', text: middle(claims('roles: s\u200bre')), line: 14 },
  { rule: 'hidden-character', name: 'escaped in yaml', text: middle(claims('roles: "s\\u200bre"')), line: 14 },
  { rule: 'hidden-character', name: 'in the title', text: classic({ title: '# Re\u00adstart\n\n' }), line: 1 },
  { rule: 'hidden-character', name: 'in a step', text: steps(`## O\u2066ne\n${fence('sh', 'true')}`) },
  {
    rule: 'document-too-large',
    name: 'more than 1 MiB',
    text: classic({ title: `# R\n\n${'text\n'.repeat(210_000)}\n` }),
  },
  { rule: 'document-too-large', name: 'no history, too long', text: `# R\n\n${'text\n'.repeat(300_000)}` },
  {
    rule: 'document-too-large',
    name: 'too many headings',
    text: classic({ title: `# R\n\n${'## a\n'.repeat(10_001)}\n` }),
  },
  { rule: 'document-empty', name: 'no bytes', text: '', line: 1 },
  { rule: 'document-empty', name: 'blank', text: '\ufeff \n\t\n' },
  { rule: 'front-matter', name: 'yaml', text: `---\ntitle: x\n---\n${classic()}`, also: ['section-unknown'] },
  { rule: 'front-matter', name: 'toml', text: `+++\ntitle = "x"\n+++\n${classic()}`, also: ['section-unknown'] },
  { rule: 'title-missing', name: 'a blank first line', text: `\n${classic()}`, also: ['section-unknown'] },
  { rule: 'title-missing', name: 'text above', text: `hello\n${classic()}`, also: ['section-unknown'] },
  { rule: 'title-missing', name: 'H2', text: classic({ title: '## Restart\n\n' }) },
  { rule: 'title-missing', name: 'no name', text: classic({ title: '#\n\n' }) },
  { rule: 'title-missing', name: 'indented', text: classic({ title: '  # Restart\n\n' }) },
  {
    rule: 'title-missing',
    name: 'underlined',
    text: classic({ title: 'Restart\n===\n\n' }),
    also: ['section-unknown'],
  },
  { rule: 'title-missing', name: 'a section', text: classic({ title: '# Limits\n\n' }) },
  { rule: 'title-differs', name: 'another name', text: classic(), options: { fileName: 'other/Stop.md' }, line: 1 },
  {
    rule: 'nesting-too-deep',
    name: 'quotes',
    text: classic({ title: `# R\n\n${'> '.repeat(80)}x\n\n` }),
    also: ['section-missing'],
  },
  {
    rule: 'nesting-too-deep',
    name: 'in the history',
    text: classic({ history: `# History\n\n${'> '.repeat(80)}x\n\n# x\n` }),
  },
  {
    rule: 'fence-unclosed',
    name: 'the script',
    text: classic({ script: '# Script\n```sh\ntrue\n', history: '' }),
    also: ['section-missing'],
  },
  {
    rule: 'fence-unclosed',
    name: 'closed by another mark',
    text: classic({ script: '# Script\n```sh\ntrue\n~~~\n' }),
    also: ['section-missing'],
  },
];

export const SECTIONS: readonly Case[] = [
  { rule: 'section-missing', name: 'no script', text: classic({ script: '' }), line: 1 },
  { rule: 'section-missing', name: 'no history', text: classic({ history: '' }) },
  { rule: 'section-missing', name: 'no environment', text: classic({ env: '' }) },
  { rule: 'section-missing', name: 'no files', text: classic({ files: '' }) },
  {
    rule: 'section-duplicate',
    name: 'script',
    text: script(`${fence('sh', 'true')}# Script\n${fence('sh', 'true')}`),
    line: 17,
  },
  { rule: 'section-duplicate', name: 'claims', text: middle(claims('roles: a') + claims('roles: b')) },
  { rule: 'section-misspelt', name: 'two edits', text: middle('# Enviroment Requirement\n\n') },
  { rule: 'section-misspelt', name: 'case', text: middle('# limits\n\n') },
  { rule: 'section-misspelt', name: 'a swap', text: steps(undefined, '# Lmiits\n\n') },
  { rule: 'section-misspelt', name: 'bold', text: middle('# **Metadata**\n\n') },
  { rule: 'section-misspelt', name: 'beside valid claims', text: middle(`${claims('roles: a')}# Required Claim\n\n`) },
  {
    rule: 'section-misspelt',
    name: 'a Cyrillic letter',
    text: middle(`${claims('roles: a')}# Required \u0421laims\n\n`),
  },
  { rule: 'section-unknown', name: 'notes', text: middle('# Notes\n\nA: b\n\n'), line: 12 },
  { rule: 'section-unknown', name: 'underlined', text: middle('Notes\n=====\n\n'), line: 12 },
  { rule: 'section-misplaced', name: 'H2', text: steps(undefined, '## Limits\n\n') },
  { rule: 'section-misplaced', name: 'no space', text: steps(undefined, '#Limits\n\n') },
  { rule: 'section-reserved', name: 'approvals', text: middle('# Approvals\n\n') },
  { rule: 'section-reserved', name: 'nearly triggers', text: middle('# Trigger\n\n') },
  { rule: 'section-reserved', name: 'capabilities', text: steps(undefined, '# Capabilities\n\n') },
  { rule: 'section-after-history', name: 'limits', text: classic({ history: '# History\n\n# Limits\n' }), line: 19 },
  { rule: 'section-after-history', name: 'a second history', text: classic({ history: '# History\n\n# History\n' }) },
  { rule: 'section-after-history', name: 'underlined', text: classic({ history: '# History\n\nNotes\n===\n' }) },
  {
    rule: 'section-without-yaml',
    name: 'environment',
    text: classic({ env: '# Environment Requirements\nNone.\n\n' }),
  },
  { rule: 'section-without-yaml', name: 'files', text: classic({ files: '# File System Requirements\n- None\n\n' }) },
  {
    rule: 'kinds-mixed',
    name: 'script and steps',
    text: middle(`# Steps\n## One\n${fence('bash', 'true')}`),
    line: 12,
  },
];
