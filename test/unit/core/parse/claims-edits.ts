/** Documents that need a role, and what people and attackers do to them. */
import { claims, classic, fence, steps } from './documents.ts';

const entry = '\n### 2026-01-23T14:33:02.123Z | Exit Code: 0\n\n**Stdout:**\n```\nout\n```\n';
export const BASES: readonly string[] = [
  classic({ middle: claims('roles: admin') }),
  classic({ middle: claims('roles: [admin, sre]\nteam: core'), history: `# History\n${entry}` }),
  classic({ env: `${claims('roles: admin')}# Environment Requirements\n` }),
  classic({ history: `${claims('roles: admin')}# History\n` }),
  steps(undefined, claims('roles: admin\nreaders: {roles: viewer}')),
  steps(undefined, claims('- roles: admin\n- repository: acme/ops')),
  steps(`## One\n${fence('bash', 'true')}${claims('roles: admin')}`),
];

/** Where the section stands; edits aim at it. */
function sectionOf(text: string): { readonly start: number; readonly end: number } {
  const found = /^.*Required ?Claims.*$/imu.exec(text);
  if (found === null) return { start: 0, end: text.length };
  const close = /^```$/m.exec(text.slice(found.index));
  return { start: found.index, end: close === null ? text.length : found.index + close.index + 4 };
}

export type Edit = (text: string, at: number) => string;
const replaceSection =
  (change: (section: string) => string): Edit =>
  (text) => {
    const { start, end } = sectionOf(text);
    return text.slice(0, start) + change(text.slice(start, end)) + text.slice(end);
  };
const replaceHeading = (heading: string): Edit => replaceSection((section) => section.replace(/^.*$/m, () => heading));
const replaceData = (data: string): Edit =>
  replaceSection((section) => section.replace(/(```yaml\n)[^]*(\n```)/, (_, a: string, b: string) => a + data + b));
const replaceFence = (open: string, close = '```'): Edit =>
  replaceSection((section) => section.replace('```yaml', () => open).replace(/```\n?$/, () => `${close}\n`));
/** A place within the section, most of the time. */
const spot = (text: string, at: number): number => {
  const { start, end } = sectionOf(text);
  return at < 0.8 ? start + Math.floor((at / 0.8) * (end - start)) : Math.floor(((at - 0.8) / 0.2) * text.length);
};
const insert =
  (what: string): Edit =>
  (text, at) =>
    text.slice(0, spot(text, at)) + what + text.slice(spot(text, at));
const remove =
  (count: number): Edit =>
  (text, at) =>
    text.slice(0, spot(text, at)) + text.slice(spot(text, at) + count);

export const EDITS: readonly Edit[] = [
  ...[
    '# Required claims',
    '# REQUIRED CLAIMS',
    '# required claims',
    '# Requried Claims',
    '# Require Claims',
    '# Required Claim',
    '#Required Claims',
    '## Required Claims',
    '# Required  Claims',
    '#\tRequired Claims',
    '# Required\u00a0Claims',
    '#\u00a0Required Claims',
    '# Required\u3000Claims',
    '# Required Claims #',
    '# Required Claims:',
    '**Required Claims**',
    '# **Required Claims**',
    '# Required_Claims',
    'Required Claims\n===',
    'Required Claims\n---',
    'Required\nClaims\n===',
    ' # Required Claims',
    '    # Required Claims',
    '\t# Required Claims',
    '> # Required Claims',
    '- # Required Claims',
    '1. # Required Claims',
    '<h1>Required Claims</h1>',
    '# Required Claims <!-- x -->',
    '<!-- # Required Claims -->',
    '# \u0420equired Claims',
    '# Required \u0421laims',
    '# \uff32equired Claims',
    '# Required\u200b Claims',
    '\\# Required Claims',
    '# History',
    '# Notes',
    '',
    'Required Claims: admin',
  ].map(replaceHeading),
  ...[
    'roles: admin',
    '',
    'roles:',
    'roles: []',
    'roles: ""',
    'roles: ","',
    'roles: [""]',
    '- roles: admin',
    '- admin',
    'admin',
    '[]',
    '{}',
    '- {}',
    '- roles: admin\n- {}',
    'roles: *',
    'roles: *x',
    'roles: &x admin',
    'roles: !!str admin',
    '<<: {roles: admin}',
    'roles: admin\nroles: user',
    'roles: {admin: true}',
    'roles: [[admin]]',
    'roles: null',
    'roles: ~',
    'roles admin',
    'roles: "admin',
    'roles:\tadmin',
    '\troles: admin',
    'roles: admin\n---\nroles: user',
    'readers: {roles: admin}',
    '%YAML 1.1\n---\nroles: admin',
    '__proto__: admin',
    '# roles: admin',
    '# Required Claims',
    'roles: admin # Required Claims',
  ].map(replaceData),
  ...[
    '```yml',
    '```YAML',
    '```',
    '```json',
    '```yaml x',
    '``` yaml',
    '````yaml',
    '~~~yaml',
    '``yaml',
    '    ```yaml',
    '> ```yaml',
    '- ```yaml',
    '```text',
    '<!--',
    '```yaml\n```\n```yaml',
  ].map((open) => replaceFence(open)),
  replaceFence('~~~yaml', '~~~'),
  replaceFence('````yaml', '````'),
  replaceFence('```yaml', ''),
  replaceSection(() => ''),
  replaceSection((section) => section + section),
  replaceSection((section) => section + section.replace('Required', 'required')),
  replaceSection((section) => `\`\`\`\n${section}\`\`\`\n`),
  replaceSection((section) => `~~~~\n${section}~~~~\n`),
  replaceSection((section) => `<!--\n${section}-->\n`),
  replaceSection((section) => `<div>\n${section}</div>\n\n`),
  replaceSection((section) => `<details>\n\n${section}\n</details>\n\n`),
  replaceSection((section) => section.replace(/^/gm, '> ')),
  replaceSection((section) => `- ${section.replace(/\n/g, '\n  ')}\n`),
  replaceSection((section) => section.replace(/^/gm, '    ')),
  replaceSection((section) => `# History\n${section}`),
  (text) => {
    const { start, end } = sectionOf(text);
    return `${text.slice(0, start)}${text.slice(end)}\n${text.slice(start, end)}`;
  },
  (text) => {
    const { start, end } = sectionOf(text);
    return text.slice(start, end) + text.slice(0, start) + text.slice(end);
  },
  (text) => `\ufeff${text}`,
  (text) => text.replaceAll('\n', '\r\n'),
  (text) => text.replaceAll('\n', '\r'),
  (text) => text.toLowerCase(),
  (text) => text.replace('# Script', '# Scripts').replace('# Steps', '# Step'),
  ...[
    '\n',
    '\r',
    '#',
    ' ',
    '\t',
    '`',
    '~',
    '```\n',
    '\n```\n',
    '<!--',
    '-->',
    '\n# History\n',
    '\n# Notes\n',
    '\0',
    '\u00a0',
    '\u200b',
    '\u202e',
    '-',
    '>',
    ':',
    ',',
    '"',
    "'",
    '\\',
    '&',
    '*',
    '[',
    '{',
    'x',
    'é',
    '\u2028',
    '<pre>',
    '[a]: ',
  ].map(insert),
  ...[1, 1, 1, 2, 3, 8, 30].map(remove),
];
