/** Top-level headings → sections: which there are, which are wrong, and what is nearly one. */
import type { Block, Fence, Heading } from '../markdown/blocks.ts';
import type { SplitDocument } from './history.ts';
import { type Problems, quote, type Replacement } from './problems.ts';
import { lettersOf, nearestName, onlyNearName } from './lookalikes.ts';

export const SECTION_NAMES = [
  'Metadata',
  'Environment Requirements',
  'File System Requirements',
  'Required Claims',
  'Limits',
  'Script',
  'Steps',
  'History',
] as const;
export type SectionName = (typeof SECTION_NAMES)[number];

/** By their letters. */
const MISPLACEABLE = new Map(
  SECTION_NAMES.filter((name) => name !== 'Required Claims').map((name) => [lettersOf(name), name]),
);
const RESERVED = ['Approvals', 'Triggers', 'Capabilities'] as const;
/** A classic document has all of these, as in Stage0; empty ones are valid. */
const CLASSIC_SECTIONS: readonly SectionName[] = ['Environment Requirements', 'File System Requirements', 'History'];

export interface Section {
  readonly name: SectionName;
  readonly heading: Heading;
  /** Headings below level 1 and fences, in order. */
  readonly blocks: readonly Block[];
  /** It has neither text nor fences. */
  readonly isBlank: boolean;
}

export function fencesOf(section: Pick<Section, 'blocks'>): readonly Fence[] {
  return section.blocks.filter((block) => block.type === 'fence');
}

/** The sections by name; the first of duplicates. `document.history` is one of them without blocks. */
export function readSections(document: SplitDocument, problems: Problems): ReadonlyMap<SectionName, Section> {
  const sections = new Map<SectionName, Section>();
  const headings = document.blocks.filter(isSectionHeading);
  for (const [index, heading] of headings.entries()) {
    const name = SECTION_NAMES.find((known) => known === heading.text);
    if (name === undefined) {
      reportUnknown(heading, headings, problems);
    } else if (sections.has(name)) {
      problems.add(
        'section-duplicate',
        heading,
        `\`# ${name}\` appears twice.`,
        'Keep one section and move everything that counts into it.',
      );
    } else {
      const lastLine = (headings[index + 1]?.line ?? document.lines.length + 1) - 1;
      const blocks = document.blocks.filter((block) => block.line > heading.endLine && block.line <= lastLine);
      sections.set(name, {
        name,
        heading,
        blocks,
        isBlank: isBlank(document.lines.slice(heading.endLine, lastLine), heading.endLine + 1, blocks),
      });
    }
  }
  if (document.history !== null) {
    sections.set('History', { name: 'History', heading: document.history, blocks: [], isBlank: true });
  }
  checkPresence(sections, document, problems);
  return sections;
}

/** Of all top-level headings those that are a section's name. */
export function sectionNamesOf({ blocks, history }: Pick<SplitDocument, 'blocks' | 'history'>): ReadonlySet<string> {
  const headings = new Set(blocks.filter(isSectionHeading).map(({ text }) => text));
  return new Set(SECTION_NAMES.filter((name) => headings.has(name) || (name === 'History' && history !== null)));
}

/** Whether there is nothing but blank lines and comments. */
function isBlank(lines: readonly string[], firstLine: number, blocks: readonly Block[]): boolean {
  const comments = blocks.filter((block) => block.type === 'comment');
  return lines.every(
    (text, index) =>
      text.trim() === '' ||
      comments.some(({ line, endLine }) => line <= firstLine + index && firstLine + index <= endLine),
  );
}

/** A top-level H1 that is not the title. */
export function isSectionHeading(block: Block): block is Heading {
  return block.type === 'heading' && block.level === 1 && !(block.line === 1 && block.style === 'atx');
}

/** Sections whose names are never mended: who may run is for people, and where the record begins as well. */
const NEVER_MENDED: ReadonlySet<SectionName> = new Set(['Required Claims', 'History']);

/** Certain only where nothing else could be meant, and nothing else is, or wants to be, that section. */
function renamed(heading: Heading, headings: readonly Heading[]): Replacement | null {
  const name = onlyNearName(heading.text, SECTION_NAMES);
  const known = SECTION_NAMES.find((section) => section === name);
  if (known === undefined || NEVER_MENDED.has(known)) return null;
  const kinds: readonly string[] = ['Script', 'Steps'];
  const rivals = kinds.includes(known) ? kinds : [known];
  const isOnly = headings.every(
    (other) => other === heading || !rivals.includes(nearestName(other.text, SECTION_NAMES) ?? ''),
  );
  return isOnly ? { old: heading.text, text: known } : null;
}

function reportUnknown(heading: Heading, headings: readonly Heading[], problems: Problems): void {
  const near = nearestName(heading.text, SECTION_NAMES);
  if (near !== null) {
    problems.add(
      'section-misspelt',
      heading,
      `${quote(heading.text)} is nearly \`${near}\`, but it is not that section.`,
      `Write \`# ${near}\`, or a name that is less like it.`,
      undefined,
      renamed(heading, headings),
    );
    return;
  }
  const reserved = nearestName(heading.text, RESERVED);
  if (reserved !== null) {
    problems.add(
      'section-reserved',
      heading,
      `\`# ${reserved}\` will be understood by a later version; this one cannot carry it out.`,
      'Remove the section.',
    );
    return;
  }
  problems.add(
    'section-unknown',
    heading,
    `${quote(heading.text)} is not a section; its text is documentation.`,
    `Use a lower heading (\`##\`), or one of: ${SECTION_NAMES.join(', ')}.`,
  );
}

function checkPresence(sections: ReadonlyMap<SectionName, Section>, document: SplitDocument, problems: Problems): void {
  const [script, steps] = [sections.get('Script'), sections.get('Steps')];
  if (script !== undefined && steps !== undefined) {
    problems.add(
      'kinds-mixed',
      steps.heading,
      'The document has both `# Script` and `# Steps`.',
      'Keep `# Script` for one script, or `# Steps` for named steps.',
    );
  }
  const missing: readonly (SectionName | 'Script` or `# Steps')[] =
    script === undefined && steps === undefined
      ? ['Script` or `# Steps']
      : script === undefined
        ? []
        : CLASSIC_SECTIONS.filter((name) => !sections.has(name));
  for (const name of missing) {
    problems.add(
      'section-missing',
      { line: 1, column: 1 },
      `The section \`# ${name}\` is missing.`,
      name === 'History'
        ? 'Add it as the last section; it may be empty.'
        : `Add it at the beginning of a line${script === undefined ? '' : '; it may be empty'}.`,
      script === undefined ? 'Script' : name,
      script === undefined || name === 'Script` or `# Steps' ? null : added(name, sections, document),
    );
  }
}

/** An empty section says "none": certain where nothing in the document could be meant to be that section. */
function added(
  name: SectionName,
  sections: ReadonlyMap<SectionName, Section>,
  document: SplitDocument,
): Replacement | null {
  const { blocks, lines, history, tailBytes } = document;
  const headings = blocks.filter(isSectionHeading);
  const isMeant =
    headings.some(({ text }) => nearestName(text, SECTION_NAMES) === name) ||
    lines.some((line) => line.length <= 100 && lettersOf(line) === lettersOf(name));
  if (isMeant) return null;
  if (name === 'History') {
    const last = blocks.at(-1);
    // What is open at the end would take it in.
    const isOpen =
      blocks.some(({ type }) => type === 'html') ||
      (last?.type === 'fence' && !last.closed) ||
      (last?.type === 'comment' && last.endLine >= lines.length);
    const at = { line: lines.length, column: (lines.at(-1) ?? '').length + 1 };
    return isOpen ? null : { old: '', text: '\n# History\n', at };
  }
  const { heading } = sections.get(name === 'Environment Requirements' ? 'File System Requirements' : 'Script') ??
    sections.get('Script') ?? { heading: null };
  const hasOther = headings.some(({ text }) => !SECTION_NAMES.some((known) => known === text));
  // A section behind the history only stands in the wrong place.
  if (heading === null || hasOther || (history !== null && Buffer.from(tailBytes).includes(name))) return null;
  return { old: '', text: `# ${name}\n\n`, at: { line: heading.line, column: 1 } };
}

/** Lines that have a section's name and a marker but do not begin it: `## Limits`, `#Limits`. Claims have their own rule. */
export function checkMisplaced(document: SplitDocument, isQuoted: (line: number) => boolean, problems: Problems): void {
  const headings = new Set(document.blocks.filter(isSectionHeading).map(({ line }) => line));
  const found: { readonly name: SectionName; readonly line: number; readonly text: string }[] = [];
  for (const [index, text] of document.lines.entries()) {
    const line = index + 1;
    if (!/^\s{0,9}#/.test(text) || text.length > 100 || line === 1 || headings.has(line) || isQuoted(line)) continue;
    const name = MISPLACEABLE.get(lettersOf(text));
    if (name !== undefined) found.push({ name, line, text });
  }
  const awaited = awaitedSections(sectionNamesOf(document));
  const isOnly = found.filter(({ name }) => awaited.includes(name)).length === new Set(awaitedOf(found, awaited)).size;
  for (const { name, line, text } of found) {
    const marker = markerAt(line, text, document);
    problems.add(
      'section-misplaced',
      { line, column: text.indexOf('#') + 1 },
      `The line reads like \`# ${name}\`, but it does not begin that section.`,
      `Write \`# ${name}\` at the beginning of the line, or give it another name.`,
      undefined,
      marker !== null && isOnly && awaited.includes(name) ? { old: marker, text: '# ' } : null,
    );
  }
}

/** The `##` of a heading, or of what lacks only a blank to be one; null for anything else, as in a list or in HTML. */
function markerAt(line: number, text: string, { blocks }: SplitDocument): string | null {
  const isHeading = blocks.some((block) => block.type === 'heading' && block.line === line && block.level > 1);
  const isNearlyOne = /^#+[^#\s]/.test(text) && !blocks.some(({ type }) => type === 'html');
  return isHeading || isNearlyOne ? (/^#+[ \t]*/.exec(text)?.[0] ?? null) : null;
}

function awaitedOf(
  found: readonly { readonly name: SectionName }[],
  awaited: readonly SectionName[],
): readonly SectionName[] {
  return found.map(({ name }) => name).filter((name) => awaited.includes(name));
}

/**
 * What the document cannot do without and does not have: a line that reads like it was meant to be it. Of other sections
 * that is not certain, since the document may have been carried out without them.
 */
function awaitedSections(present: ReadonlySet<string>): readonly SectionName[] {
  if (present.has('Steps')) return [];
  if (!present.has('Script')) return ['Script'];
  return CLASSIC_SECTIONS.filter((name) => !present.has(name) && !NEVER_MENDED.has(name));
}
