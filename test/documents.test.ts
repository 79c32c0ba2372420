/** The documents hold together: links lead somewhere, commands and options exist, the table of settings is the source's. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import type { Command } from 'commander';
import { execaSync } from 'execa';
import { describe, expect, test } from 'vitest';
import { withTable } from '../scripts/settings-page.ts';
import { behindTheCommand } from '../src/cli/leading-options.ts';
import { createProgram } from '../src/cli/program.ts';
import { createTerminal } from '../src/cli/terminal.ts';
import { REPOSITORY } from './helpers/cli.ts';
import { anchorsOf, callsOf, codeSpansOf, linksOf } from './helpers/document-text.ts';

/** All but those that tests show wrong on purpose. */
const DOCUMENTS = execaSync('git', ['-c', 'safe.directory=*', 'ls-files', '-z', '*.md'], { cwd: REPOSITORY })
  .stdout.split('\0')
  .filter((file) => file !== '' && !file.startsWith('test/') && existsSync(path.join(REPOSITORY, file)));
const textOf = (file: string): string => readFileSync(path.join(REPOSITORY, file), 'utf8');

/** Of the links of a document those that lead nowhere. */
function brokenLinks(file: string, text = textOf(file)): readonly string[] {
  return linksOf(text).filter((href) => {
    if (/^(?:https?|mailto):/.test(href)) return false;
    const [place = '', anchor] = decodeURI(href).split('#');
    const target = place === '' ? file : path.join(path.dirname(file), place);
    const found = path.join(REPOSITORY, target);
    if (target.startsWith('..') || !existsSync(found)) return true;
    if (anchor === undefined) return false;
    return statSync(found).isDirectory() || !anchorsOf(target === file ? text : textOf(target)).has(anchor);
  });
}

const PROGRAM = createProgram(createTerminal(), async () => {});

/** What is wrong with a call as the documents write it; null where nothing is. Values may be made up, names may not. */
function mistake(words: readonly string[]): string | null {
  let command: Command = PROGRAM;
  const rest = [...behindTheCommand(PROGRAM, words[0] === 'help' ? words.slice(1) : words)];
  while (rest.length > 0) {
    const next = command.commands.find((known) => known.name() === rest[0] || known.aliases().includes(rest[0] ?? ''));
    if (next === undefined) break;
    command = next;
    rest.shift();
  }
  const isGroup = command.commands.length > 0;
  for (let word = rest.shift(); word !== undefined && word !== '--'; word = rest.shift()) {
    if (word === '-' || /^[^-]/.test(word)) {
      // `runbook COMMAND --help` stands for any of them.
      if (isGroup && !/^[A-Z…]+$/.test(word)) return `there is no command ${word}`;
      continue;
    }
    const name = word.replace(/=.*$/s, '');
    const option = command.options.find(({ long, short }) => long === name || short === name);
    if (option === undefined && !['-h', '--help'].includes(name)) return `${command.name()} has no option ${name}`;
    if (option?.required === true && !word.includes('=')) rest.shift();
  }
  return null;
}

describe('links', () => {
  test('lead somewhere in every document', () => {
    expect(DOCUMENTS).toContain('docs/README.md');
    const broken = DOCUMENTS.flatMap((file) => brokenLinks(file).map((href) => `${file}: ${href}`));
    expect(broken).toEqual([]);
  });

  test('would be found where they lead nowhere', () => {
    const text =
      '# A b\n\n[a](#a-b) [b](README.md#two-commands) [c](#c) [d](docs) [e](no.md) [f](README.md#nothing) [g](../x)\n';
    expect(brokenLinks('README.md', text)).toEqual([
      'README.md#two-commands',
      '#c',
      'no.md',
      'README.md#nothing',
      '../x',
    ]);
    expect(brokenLinks('CHANGELOG.md', text)).toEqual(['#c', 'no.md', 'README.md#nothing', '../x']);
  });

  test('the index names every document of docs/', () => {
    const index = linksOf(textOf('docs/README.md'));
    const pages = DOCUMENTS.filter((file) => /^docs\/[^/]+\.md$/.test(file) && file !== 'docs/README.md');
    expect(pages.filter((file) => !index.some((href) => href.split('#')[0] === path.basename(file)))).toEqual([]);
  });
});

describe('files', () => {
  /** In `code`: what lies in the repository by its whole path. */
  const named = (text: string): readonly string[] =>
    codeSpansOf(text).filter((span) =>
      /^(?:test|src|scripts|schemas|docs|samples|bench|libexec)\/[\w./-]+$/.test(span),
    );

  test('that a document names are there', () => {
    const files = DOCUMENTS.filter((file) => file !== 'CHANGELOG.md').flatMap((file) =>
      named(textOf(file)).map((place) => ({ file, place })),
    );
    expect(files.length).toBeGreaterThan(80);
    expect(files.filter(({ place }) => !existsSync(path.join(REPOSITORY, place)))).toEqual([]);
    expect(named('`test/none.ts`, `a test/b`, `$HOME/test/a`')).toEqual(['test/none.ts']);
  });
});

describe('commands', () => {
  /** There a document shows what happens then. */
  const ON_PURPOSE = new Set([
    'docs/errors.md: there is no command exceute',
    'docs/cli.md: there is no command exceute',
    'docs/cli.md: there is no command exec',
    'docs/cli.md: list has no option --jsn',
  ]);

  test('and options exist, wherever a document calls runbook', () => {
    const calls = DOCUMENTS.flatMap((file) => callsOf(textOf(file)).map((words) => ({ file, words })));
    expect(calls.length).toBeGreaterThan(150);
    const wrong = calls.flatMap(({ file, words }) => {
      const what = mistake(words);
      return what === null || ON_PURPOSE.has(`${file}: ${what}`) ? [] : [`${file}: ${words.join(' ')}: ${what}`];
    });
    expect(wrong).toEqual([]);
  });

  test('would be found where they do not', () => {
    const fence = (lines: string): string => `\`\`\`sh\n${lines}\n\`\`\`\n`;
    const wrong = (text: string): readonly (string | null)[] => callsOf(text).map(mistake);
    expect(wrong(fence('runbook lsit\nrunbook list --jsn | runbook show X # runbook nothing'))).toEqual([
      'there is no command lsit',
      'list has no option --jsn',
      null,
    ]);
    expect(
      wrong(fence("A=1 runbook audit verfiy\necho runbook x\nrunbook execute A --env 'B=--c' \\\n  --evn x")),
    ).toEqual(['there is no command verfiy', 'execute has no option --evn']);
    expect(wrong('`runbook hsitory` and ```` ``runbook`` ````, `the runbook x`\n')).toEqual([
      'there is no command hsitory',
    ]);
    expect(wrong('```console\n$ x=$(runbook token mnit)\nrunbook this is output\n```\n')).toEqual([
      'there is no command mnit',
    ]);
    expect(wrong(fence('runbook COMMAND --help\nrunbook execute X -- --anything'))).toEqual([null, null]);
  });
});

describe('settings', () => {
  test('are described as the source has them: node scripts/settings-page.ts', () => {
    const page = textOf('docs/settings.md');
    expect(withTable(page)).toBe(page);
    expect(page).toContain('| `max_output` |');
  });

  test('that are missing would be seen', () => {
    const page = textOf('docs/settings.md');
    expect(withTable(page.replace(/^\| `max_output` .*\n/m, ''))).toBe(page);
    expect(() => withTable('no table')).toThrow('settings: begin');
  });
});
