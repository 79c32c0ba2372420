/** The first line: `# <Name>`. */
import type { Heading } from '../markdown/blocks.ts';
import { checkHidden } from './characters.ts';
import type { SplitDocument } from './history.ts';
import { type Problems, quote, type Replacement } from './problems.ts';
import { SECTION_NAMES } from './sections.ts';
import { lettersOf } from './lookalikes.ts';

const START = { line: 1, column: 1 };
const SECTION_LETTERS: ReadonlySet<string> = new Set(SECTION_NAMES.map(lettersOf));

/** The title; null when (reported) there is none. @param stem file name without `.md` */
export function readTitle(document: SplitDocument, stem: string | null, problems: Problems): string | null {
  if (document.lines.every((line) => line.trim() === '')) {
    problems.add('document-empty', START, 'The document is empty.', 'Write `# <Name>` in the first line.');
    return null;
  }
  const first = document.blocks[0];
  const title = first?.type === 'heading' && first.level === 1 && first.line === 1 ? first : null;
  if (title === null || title.style !== 'atx' || title.column !== 1 || title.text === '') {
    reportMissing(document, problems);
    return null;
  }
  if (SECTION_LETTERS.has(lettersOf(title.text))) {
    problems.add(
      'title-missing',
      START,
      `The first line is the section ${quote(title.text)}, not the name of the runbook.`,
      'Write `# <Name>` above it.',
    );
    return null;
  }
  checkTitle(title, stem, problems);
  return title.text;
}

function reportMissing(document: SplitDocument, problems: Problems): void {
  const first = document.lines[0]?.trim();
  if (first === '---' || first === '+++') {
    problems.add(
      'front-matter',
      START,
      'The document begins with front matter.',
      'Remove it, begin with `# <Name>`, and put its data under `# Metadata`.',
    );
    return;
  }
  problems.add(
    'title-missing',
    START,
    'The first line is not `# <Name>`.',
    'Begin the document with `# <Name>`, nothing above it.',
    undefined,
    movedUp(document),
  );
}

/** Blank lines above the title, blanks before it, or a title that is underlined. */
function movedUp({ lines, blocks }: SplitDocument): Replacement | null {
  const index = lines.findIndex((line) => line.trim() !== '');
  const title = blocks[0];
  if (title?.type !== 'heading' || title.level !== 1 || title.line !== index + 1 || title.text === '') return null;
  if (title.endLine - title.line > 1 || SECTION_LETTERS.has(lettersOf(title.text))) return null;
  const above = lines.slice(0, index).map((line) => `${line}\n`);
  const raw = lines[index] ?? '';
  const indent = raw.slice(0, title.column - 1);
  if (title.style === 'atx') return { old: above.join('') + indent, text: '' };
  // Anything that would make another heading of it is left to people.
  if (!/^[\p{L}\p{N}][\p{L}\p{N} _.-]*$/u.test(title.text)) return null;
  return { old: `${above.join('')}${raw}\n${lines[index + 1] ?? ''}`, text: `# ${title.text}` };
}

function checkTitle(title: Heading, stem: string | null, problems: Problems): void {
  checkHidden(title.text, title, 'The title', problems);
  if (stem === null || stem === title.text) return;
  problems.add(
    'title-differs',
    START,
    `The title ${quote(title.text)} differs from the file name ${quote(stem)}.`,
    'Make them equal: people and other runbooks find it by the file name.',
  );
}
