/** Markdown → Runbook, with everything that is wrong with it at once. Pure, and never throws. */
import type { ClaimAlternative, ParseResult, Runbook } from '../runbook.ts';
import { readSectionYaml } from './block.ts';
import { checkCharacters } from './characters.ts';
import { readClaims } from './claims.ts';
import { checkClaimsHeading } from './claims-heading.ts';
import { withEdits } from './edits.ts';
import { readEnv } from './env.ts';
import { readFiles } from './files.ts';
import { MAX_BLOCKS, MAX_HEAD_BYTES, MAX_LINES, type SplitDocument, splitDocument } from './history.ts';
import { readLimits } from './limits.ts';
import { NO_METADATA, readMetadata } from './metadata.ts';
import { Problems } from './problems.ts';
import { readClassicScript } from './script.ts';
import {
  checkMisplaced,
  fencesOf,
  isSectionHeading,
  readSections,
  sectionNamesOf,
  type Section,
  type SectionName,
} from './sections.ts';
import { checkRawHtml } from './raw-html.ts';
import { readSilenced } from './silence.ts';
import { readSteps } from './steps.ts';
import { checkTail, readTail } from './tail.ts';
import { readTitle } from './title.ts';
import type { YamlList, YamlMapping } from './yaml.ts';

export interface ParseOptions {
  /** Name of the file, with or without folders and `.md`; empty where it comes from none. */
  readonly fileName?: string;
  /** `YYYY-MM-DD`; without it `review_by` is not compared with anything. */
  readonly today?: string;
}

/** Reads a document by the rules of RUNBOOK_FORMAT.md. */
export function parseRunbook(bytes: Uint8Array, options: ParseOptions = {}): ParseResult {
  const problems = new Problems();
  const document = splitDocument(bytes);
  const stem = stemOf(options.fileName);
  const title = readTitle(document, stem, problems);
  const parsed = document.tooLarge ? tooLarge(problems) : readDocument(document, options, problems);
  const list = withEdits(problems.list(parsed.silenced), (problem) => problems.replacementOf(problem), document);
  const { digest, historyOffset } = document;
  const runbook =
    problems.hasErrors || parsed.content === null || title === null
      ? null
      : { ...parsed.content, name: stem ?? title, title, digest };
  return { runbook, problems: list, title, digest, historyOffset, sections: sectionNamesOf(document) };
}

type Content = Omit<Runbook, 'name' | 'title' | 'digest'>;
interface Parsed {
  readonly content: Content | null;
  readonly silenced: ReadonlySet<string>;
}

function tooLarge(problems: Problems): Parsed {
  problems.add(
    'document-too-large',
    { line: 1, column: 1 },
    `The part before \`# History\` is larger than ${MAX_HEAD_BYTES / 1024 / 1024} MiB, or has more than ${MAX_LINES} lines or ${MAX_BLOCKS} headings and fences.`,
    'Move data into input files; if `# History` is missing, add it.',
  );
  return { content: null, silenced: new Set() };
}

function readDocument(document: SplitDocument, options: ParseOptions, problems: Problems): Parsed {
  const unread = { content: null, silenced: new Set<string>() };
  if (document.lines.every((line) => line.trim() === '')) return unread;
  const last = document.blocks.at(-1);
  if (last?.type === 'too-deep') {
    problems.add('nesting-too-deep', last, 'Quotes and lists are nested too deep to be read.', 'Write it flat.');
    return unread;
  }
  checkCharacters(document, problems);
  checkBlocks(document, problems);
  const sections = readSections(document, problems);
  const tail = readTail(document);
  checkTail(tail, problems);
  const isQuoted = quotedTest(document);
  checkRawHtml(document, isQuoted, problems);
  checkMisplaced(document, isQuoted, problems);
  if (!sections.has('Required Claims')) checkClaimsHeading(document, tail, problems);
  return {
    content: readContent(document, sections, options, problems),
    silenced: readSilenced(document.blocks, problems),
  };
}

function readContent(
  document: SplitDocument,
  sections: ReadonlyMap<SectionName, Section>,
  options: ParseOptions,
  problems: Problems,
): Content {
  const kind = sections.has('Steps') ? 'steps' : 'classic';
  const mapping = (name: SectionName, need: 'block' | 'none') => {
    const section = sections.get(name);
    return section === undefined ? null : onlyMapping(readSectionYaml(section, need, problems), problems);
  };
  const metadata = mapping('Metadata', 'block');
  const env = mapping('Environment Requirements', 'none');
  const files = mapping('File System Requirements', 'none');
  const limits = mapping('Limits', 'block');
  const variables = env === null ? [] : readEnv(env, problems);
  const claims = readClaimsSection(sections.get('Required Claims'), kind, problems);
  const [script, steps] = [sections.get('Script'), sections.get('Steps')];
  const classic = script === undefined ? null : readClassicScript(script, problems);
  return {
    description: descriptionOf(document),
    kind,
    metadata: metadata === null ? NO_METADATA : readMetadata(metadata, options.today, problems),
    env: variables,
    files: files === null ? [] : readFiles(files, problems),
    ...claims,
    limits: limits === null ? {} : readLimits(limits, problems),
    steps: steps === undefined ? (classic === null ? [] : [classic]) : readSteps(steps, variables, problems),
  };
}

/** `claims` is null only where there is no section; of a section that cannot be read it is an empty list: nobody. */
function readClaimsSection(
  section: Section | undefined,
  kind: Runbook['kind'],
  problems: Problems,
): { readonly claims: readonly ClaimAlternative[] | null; readonly readers: readonly ClaimAlternative[] | null } {
  if (section === undefined) return { claims: null, readers: null };
  checkSight(section, problems);
  const data = readSectionYaml(section, 'block', problems);
  return data === null ? { claims: [], readers: [] } : readClaims(data, kind, problems);
}

/** A value behind many blanks is out of sight on a page that does not wrap its lines. */
function checkSight(section: Section, problems: Problems): void {
  for (const fence of fencesOf(section)) {
    for (const [index, line] of fence.content.split('\n').entries()) {
      const found = /\S[ \t]{9,}\S/.exec(line);
      if (found === null) continue;
      const at = { line: fence.line + 1 + index, column: found.index + 2 };
      problems.add(
        'claims-shape',
        at,
        'A part of the claims stands behind many blanks, where nobody sees it.',
        'Write values beside each other.',
      );
    }
  }
}

function onlyMapping(data: YamlMapping | YamlList | null, problems: Problems): YamlMapping | null {
  if (data?.kind !== 'list') return data;
  problems.add('yaml-not-mapping', data.at, 'The yaml block is a list, not a mapping.', 'Write `name: value` lines.');
  return null;
}

function checkBlocks(document: SplitDocument, problems: Problems): void {
  for (const block of document.blocks) {
    if (block.type !== 'fence' || block.closed) continue;
    problems.add(
      'fence-unclosed',
      block,
      'The fence is never closed, so everything behind it belongs to it.',
      'Close it with a line of the same fence characters.',
    );
  }
}

/** Whether a line belongs to a top-level fence or comment, its first and last line included. */
function quotedTest(document: SplitDocument): (line: number) => boolean {
  const quoted = new Set<number>();
  for (const block of document.blocks) {
    if (block.type !== 'fence' && block.type !== 'comment') continue;
    for (let line = block.line; line <= block.endLine; line += 1) quoted.add(line);
  }
  return (line) => quoted.has(line);
}

/** Markdown between the title and the first section. */
function descriptionOf(document: SplitDocument): string {
  const first = document.blocks.find(isSectionHeading);
  return document.lines
    .slice(1, first === undefined ? undefined : first.line - 1)
    .join('\n')
    .trim();
}

function stemOf(fileName: string | undefined): string | null {
  if (fileName === undefined || fileName === '') return null;
  const base = fileName.slice(fileName.lastIndexOf('/') + 1);
  return base.endsWith('.md') ? base.slice(0, -'.md'.length) : base;
}
