/** `runbook show`: summary and document, for a terminal, a pipe, a browser; and nothing of the document does anything. */
import { chmodSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { widthOf } from '../../src/core/width.ts';
import { renderHtml } from '../../src/cli/html.ts';
import { createStyle } from '../../src/cli/render.ts';
import { renderMarkdown } from '../../src/cli/terminal-markdown.ts';
import { BIN, createHome } from '../helpers/cli.ts';
import type { Home } from '../helpers/cli.ts';
import { tries } from '../helpers/property.ts';
import { inTerminal } from '../helpers/terminal.ts';

const TASK = `# Task

What it **does**, in [the wiki](https://wiki.example/task), and \`kubectl get\`.

# Steps

## First
\`\`\`sh
echo first
\`\`\`

## Second one
\`\`\`sh
echo second
\`\`\`

# History

past
`;

function home(text = TASK): Home {
  const made = createHome();
  made.write('Task.md', text);
  return made;
}

/** A terminal of this size. */
const sized =
  (columns: number, rows: number) =>
  (args: readonly string[]): readonly string[] => [
    ...['sh', '-c', `stty cols ${columns} rows ${rows}; exec "$0" "$@"`],
    ...[process.execPath, '--', BIN, ...args],
  ];

describe('what is shown', () => {
  test('first what it needs, then the document without its history', async () => {
    const { stdout, stderr } = await home().run(['show', './Task.md']);
    const at = ['digest ', 'who ', 'Steps\n', '1. First', '2. Second one', '═══', '# Task', 'echo second'].map((text) =>
      stdout.indexOf(text),
    );
    expect(at).not.toContain(-1);
    expect(at).toEqual(at.toSorted((a, b) => a - b));
    expect(stdout).toContain('the wiki <https://wiki.example/task>');
    expect(stdout).not.toContain('past');
    expect(stderr).toBe('');
  });

  test.each([
    ['the history, too', ['--history'], /\npast\n$/],
    ['one step, by its beginning', ['--step', 'sec'], /^2\. Second one\n {3}sh\n {5}echo second\n$/],
    ['the summary with its scripts', ['--summary'], /echo first[^]*echo second\n$/],
    ['the bytes', ['--raw'], new RegExp(`^${TASK.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')}$`)],
  ])('%s', async (_, args, expected) => {
    const { stdout, exitCode } = await home().run(['show', './Task.md', ...args]);
    expect(stdout).toMatch(expected);
    expect(exitCode).toBe(0);
  });

  test.each([
    [
      'no such step',
      ['--step', 'Secnod one'],
      /--step: there is no step “Secnod one”.*\n.*Did you mean “Second one”\?/,
    ],
    ['two forms', ['--raw', '--html'], /--html and --raw are both given/],
  ])('%s is refused', async (_, args, expected) => {
    const { stderr, exitCode } = await home().run(['show', './Task.md', ...args]);
    expect(stderr).toMatch(expected);
    expect(exitCode).toBe(64);
  });

  test('an invalid document as it is', async () => {
    const broken = home('# Task\n\n# Nothing\n');
    expect((await broken.run(['show', './Task.md'])).stderr).toContain('`runbook show --raw`');
    expect(await broken.run(['show', './Task.md', '--raw'])).toMatchObject({
      exitCode: 0,
      stdout: '# Task\n\n# Nothing\n',
    });
  });
});

describe('the pager', () => {
  const pager = (made: Home): string => {
    const file = made.write('pager', '#!/bin/sh\ncat > "$HOME/paged"\necho "less is $LESS"\n');
    chmodSync(file, 0o755);
    return file;
  };
  const paged = (made: Home): string | null => {
    const file = path.join(made.folder, 'paged');
    return existsSync(file) ? readFileSync(file, 'utf8') : null;
  };

  test('has what is longer than the screen', async () => {
    const made = home();
    const { screen } = await inTerminal(made.folder, ['show', './Task.md'], [], { PAGER: pager(made) }, sized(80, 10));
    expect(paged(made)).toContain('echo second');
    expect(screen).toContain('less is FRX');
    expect(screen).not.toContain('echo second');
  });

  test.each([
    ['a long screen', [], sized(80, 200), {}],
    ['--no-pager', ['--no-pager'], sized(80, 10), {}],
    ['a terminal that can do nothing', [], sized(80, 10), { TERM: 'dumb' }],
    ['an empty PAGER', [], sized(80, 10), { PAGER: '' }],
    ['one that is not there', [], sized(80, 10), { PAGER: 'no-such-pager' }],
  ])('is not used for %s', async (_, args, size, env) => {
    const made = home();
    const all = { PAGER: pager(made), ...env };
    const { screen, exitCode } = await inTerminal(made.folder, ['show', './Task.md', ...args], [], all, size);
    expect(screen).toContain('echo second');
    expect(paged(made)).toBeNull();
    expect(exitCode).toBe(0);
  });

  test('that is left early is no failure', async () => {
    const made = home(TASK.replace('echo first', 'echo first\n'.repeat(15_000).trimEnd()));
    const { exitCode } = await inTerminal(
      made.folder,
      ['show', './Task.md'],
      [],
      { PAGER: 'head -n 1' },
      sized(80, 10),
    );
    expect(exitCode).toBe(0);
  });

  test('is not for a pipe', async () => {
    const made = home();
    const { stdout } = await made.run(['show', './Task.md'], { env: { PAGER: pager(made) } });
    expect(stdout).toContain('echo second');
    expect(paged(made)).toBeNull();
  });

  test('less, where it is found, and not in the folder one is in', async () => {
    const made = home();
    mkdirSync(path.join(made.folder, 'programs'));
    const less = made.write('programs/less', '#!/bin/sh\ncat > "$HOME/paged"\n');
    chmodSync(less, 0o755);
    chmodSync(made.write('less', '#!/bin/sh\ntouch "$HOME/foreign"\n'), 0o755);
    const env = { PATH: `:${path.dirname(less)}:${process.env['PATH'] ?? ''}` };
    await inTerminal(made.folder, ['show', './Task.md'], [], env, sized(80, 10));
    expect(paged(made)).toContain('echo second');
    expect(existsSync(path.join(made.folder, 'foreign'))).toBe(false);
  });
});

const hostile = fc
  .array(
    fc.constantFrom(
      ...[
        '<script>alert(1)</script>',
        '<img src=x onerror=alert(1)>',
        '[a](javascript:alert(1))',
        '[a](<java\tscript:b>)',
      ],
      ...[
        '![x](data:text/html,x)',
        '&#x1b;[2J',
        '\u001b[31m',
        '\u202e',
        '&lt;',
        '`',
        '```\n',
        '\n',
        '\n\n',
        '> ',
        '- ',
        '1. ',
      ],
      ...[
        '| a | b |\n|---|---|\n| c | d |\n',
        '[x]: javascript:a',
        '[x]',
        '**',
        '_',
        '# ',
        '<!-- -->',
        '再起動 ',
        'word ',
        '[ ] ',
      ],
      ...[
        '<a href="https://x.example" onclick="y">',
        '"',
        "'",
        '&',
        'https://x.example/"onx=',
        '\\',
        '~~~\n',
        '---\n',
        '<http://a.example>',
      ],
    ),
    { maxLength: 30 },
  )
  .map((parts) => parts.join(''));

describe('whatever a document holds', () => {
  test('a terminal gets text in lines, and nothing that moves its cursor', () => {
    const style = createStyle(false);
    fc.assert(
      fc.property(hostile, fc.integer({ min: 20, max: 100 }), (text, width) => {
        const shown = renderMarkdown(text, style, width);
        // oxlint-disable-next-line no-control-regex
        expect(shown).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202e]/);
      }),
      tries(1000, 50_000),
    );
  });

  test('prose is as wide as the terminal', () => {
    const style = createStyle(false);
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('word', '再起動', 'a', '**b**', '`c`'), { maxLength: 60 }),
        fc.integer({ min: 20, max: 90 }),
        (words, width) => {
          const lines = renderMarkdown(`- ${words.join(' ')}\n\n> ${words.join(' ')}`, style, width).split('\n');
          for (const line of lines) expect(widthOf(line)).toBeLessThanOrEqual(width);
        },
      ),
      tries(500, 20_000),
    );
  });

  test('a page has no script, no handler, and no link but to the web, by mail or beside it', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const page = renderHtml('"><script>', text);
        const [, body = ''] = page.split('<body>');
        const tags = body.match(/<[a-z][^>]*>/gi) ?? [];
        for (const tag of tags) {
          expect(tag).toMatch(
            /^<(?:a href="(?:https?:[^"]*|mailto:[^"]*|[^":]*)" rel="noopener noreferrer"|(?:p|h[1-6]|pre|code(?: class="language-[^"]*")?|blockquote|ul|ol(?: start="\d+")?|li|hr|br|em|strong|del|table|thead|tbody|tr|t[hd](?: align="\w+")?|input (?:checked="" )?disabled="" type="checkbox"))>$/,
          );
        }
        expect(page).toContain('<title>&quot;&gt;&lt;script&gt;</title>');
        expect(page).toContain("default-src 'none'");
      }),
      tries(1000, 50_000),
    );
  });
});
