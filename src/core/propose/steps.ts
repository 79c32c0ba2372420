/** From the parts of a page to steps: what is a step, which commands are its script, what a person does. */
import { commandsOf } from './commands.ts';
import { dangersIn } from './danger.ts';
import type { Draft, DraftStep, Note, Prose } from './draft.ts';
import {
  commandsInSentence,
  goesOn,
  hasCommands,
  isAppendix,
  isContainer,
  isDoneByHand,
  isEmpty,
  isNumbered,
  leadOf,
  neverHasSteps,
  onlyCommandOf,
  speaksOfRoles,
  takesBack,
  tellsAbout,
} from './instructions.ts';
import type { CodePart, ItemPart, PagePart, TextPart } from './page.ts';
import { hasPlaceholder } from './placeholders.ts';
import { isTableRow, longestRun, plainText, shortened, stepName, withoutAngles } from './text.ts';

interface Section {
  readonly heading: string;
  /** 0: what stands above the first heading. */
  readonly level: number;
  readonly line: number;
  readonly parts: readonly PagePart[];
}

const MAX_STEPS = 500;
const MAX_MANUAL = 400;

/** @param pageTitle where the page says one besides its headings */
export function draftOf(parts: readonly PagePart[], pageTitle: string | null): Draft {
  const builder = new Builder();
  const sections = sectionsOf(parts);
  const first = sections.find(({ level }) => level > 0);
  const isTitle = first !== undefined && (first.level === 1 || (pageTitle === null && isAlone(first, sections)));
  for (const section of sections) builder.add(section, isTitle && section === first);
  return { title: isTitle ? plainText(first.heading) : pageTitle, ...builder.result() };
}

/** A page whose first heading is one of many of its level has no title. */
function isAlone(first: Section, sections: readonly Section[]): boolean {
  return sections.filter(({ level }) => level > 0 && level <= first.level).length === 1;
}

function sectionsOf(parts: readonly PagePart[]): readonly Section[] {
  const sections: { heading: string; level: number; line: number; parts: PagePart[] }[] = [
    { heading: '', level: 0, line: 1, parts: [] },
  ];
  for (const part of parts) {
    if (part.kind === 'heading') sections.push({ heading: part.text, level: part.level, line: part.line, parts: [] });
    else sections.at(-1)?.parts.push(part);
  }
  return sections;
}

class Builder {
  readonly #description: Prose[] = [];
  readonly #steps: DraftStep[] = [];
  readonly #notes: Note[] = [];
  #isFull = false;
  /** Level of the heading that says that the steps stand below it, and how many there were before. */
  #procedure: { readonly level: number; readonly stepsBefore: number } | null = null;
  /** Of headings with numbers. */
  #numberedLevel: number | null = null;

  result(): Omit<Draft, 'title'> {
    return { description: this.#description, steps: this.#steps, notes: this.#notes };
  }

  add(section: Section, isTitle: boolean): void {
    const { level, line, parts } = section;
    const heading = plainText(section.heading).replace(/^[\d.]+[ \t]+/, '');
    const isAbout = isTitle || level === 0 || tellsAbout(heading);
    if (takesBack(heading) && this.#addRollback(section)) return;
    const isBehind =
      !isAbout && !takesBack(heading) && !isAppendix(heading) && this.#isBehindProcedure(section, heading);
    this.#follow(section, heading);
    if (isBehind && !parts.every(isEmpty)) {
      this.#describe(section, false);
      this.#note(
        line,
        `“${shortened(heading, 60)}” stands behind the procedure and is kept as text; make it a step if it is one`,
      );
      return;
    }
    const isList = parts.some(isStepItem);
    const isRun = parts.some(hasCommands);
    const isAfterwards = !isTitle && this.#steps.length > 0 && isAppendix(heading);
    if (neverHasSteps(heading) || isAfterwards || (isAbout && !isRun && !(isList && (isTitle || level === 0)))) {
      this.#describe(section, isTitle);
    } else if (isList) {
      this.#addItems(section, isTitle);
    } else if (isRun || (level > 1 && isDoneByHand(section.heading, parts))) {
      this.#addStep(stepName(section.heading), line, parts, null);
    } else {
      this.#describe(section, isTitle);
    }
  }

  /** What nobody knows is no step behind a procedure that has a heading of its own, or numbers. */
  #isBehindProcedure({ heading: own, level }: Section, heading: string): boolean {
    if (goesOn(heading) || isContainer(heading) || isNumbered(own)) return false;
    const { level: above, stepsBefore } = this.#procedure ?? { level: 0, stepsBefore: 0 };
    if (level <= above && this.#steps.length > stepsBefore) return true;
    return this.#numberedLevel !== null && level <= this.#numberedLevel && this.#steps.length > 0;
  }

  #follow({ heading: own, level }: Section, heading: string): void {
    if (isContainer(heading)) this.#procedure ??= { level, stepsBefore: this.#steps.length };
    else if (isNumbered(own)) this.#numberedLevel ??= level;
  }

  #describe({ heading, level, line, parts }: Section, isTitle: boolean): void {
    const hasHeading = level > 0 && !isTitle;
    if (isContainer(plainText(heading)) && parts.every(isEmpty)) return;
    if (hasHeading && speaksOfRoles(heading))
      this.#note(line, 'who may run it is not proposed; say it with --claim, as in --claim roles=sre');
    for (const part of parts)
      if (commandsInSentence(part).length > 0) this.#note(part.line, 'a command in this sentence is in no step');
    if (hasHeading) {
      const text = `## ${withoutAngles(plainText(heading)).replace(/^\d{1,3}[.)][ \t]+/, '')}`;
      this.#description.push({ line, text: '' }, { line, text }, { line, text: '' });
    }
    for (const part of parts) {
      if (part.kind === 'code') {
        this.#description.push(...fenced(part));
        if (hasCommands(part)) this.#note(part.line, 'these commands are kept as text, not as a step');
      } else if (part.kind !== 'heading') {
        this.#description.push(proseOf(part));
      }
    }
  }

  /** Each item is a step, with all that stands before the next one of its level. */
  #addItems(section: Section, isTitle: boolean): void {
    const { parts } = section;
    const indent = parts.filter(isStepItem).reduce((least, item) => Math.min(least, item.indent), Infinity);
    const starts = parts.flatMap((part, index) => (isStepItem(part) && part.indent <= indent + 1 ? [index] : []));
    const before = parts.slice(0, starts[0]);
    if (before.some(hasCommands)) this.#addStep(stepName(section.heading), section.line, before, null);
    else if (!before.every(isEmpty)) this.#describe({ ...section, parts: before }, isTitle);
    for (const [index, start] of starts.entries()) {
      const item = parts[start];
      if (item?.kind !== 'item') continue;
      const name = stepName(item.text);
      const isWhole = name === plainText(item.text).replace(/[\s.:;,]+$/, '');
      // What the name does not say stands below it.
      const own: readonly PagePart[] = isWhole ? [] : [{ kind: 'text', text: item.text, line: item.line }];
      this.#addStep(name, item.line, [...own, ...parts.slice(start + 1, starts[index + 1])], item);
    }
  }

  /** One step, or one for each block of commands in it. @param told the item that it is; null for a section */
  #addStep(name: string, line: number, parts: readonly PagePart[], told: ItemPart | null): void {
    const groups: PagePart[][] = [[]];
    for (const part of parts) {
      groups.at(-1)?.push(part);
      if (hasCommands(part)) groups.push([]);
    }
    // What stands behind the last block belongs to it.
    const rest = groups.length > 1 ? (groups.pop() ?? []) : [];
    for (const [index, group] of groups.entries()) {
      const code = group.find(hasCommands) ?? null;
      const lead = index === 0 ? null : leadOf(group);
      const own = index === 0 ? name : lead === null ? `${name} (${index + 1})` : stepName(lead.text);
      const others = [...group, ...(index === groups.length - 1 ? rest : [])].filter((part) => part !== code);
      this.#push({ name: own === '' ? name : own, line, parts: others, code, told });
    }
  }

  #push({ name, line, parts, code, told }: Candidate): void {
    if (this.#steps.length >= MAX_STEPS) {
      if (!this.#isFull) this.#note(line, `what follows is left out: a proposal has at most ${MAX_STEPS} steps`);
      this.#isFull = true;
      return;
    }
    const prose = parts.flatMap((part) => this.#proseOfPart(part));
    const step = { name, line, prose, script: null, manual: null, rollback: null };
    if (code !== null) {
      const commands = commandsOf(code.tag, code.lines);
      for (const { at, text } of commands?.doubts ?? []) this.#note(code.line + at, text);
      for (const part of parts)
        if (commandsInSentence(part).some(hasPlaceholder))
          this.#note(part.line, 'a command in this sentence is in no script, and has a place to fill in');
      this.#steps.push({ ...step, script: { lines: commands?.lines ?? [], line: code.line } });
      return;
    }
    const sentences = told === null ? parts : [told, ...parts];
    const command = onlyCommandOf(sentences);
    if (command !== null) {
      this.#note(line, `the command \`${shortened(command, 60)}\` is taken out of the sentence`);
      this.#steps.push({ ...step, script: { lines: [command], line } });
      return;
    }
    for (const part of sentences)
      if (commandsInSentence(part).length > 0) this.#note(part.line, 'a command in this sentence is in no script');
    this.#steps.push({ ...step, ...byHand(name, prose, told) });
  }

  #proseOfPart(part: PagePart): readonly Prose[] {
    if (part.kind === 'heading') return [];
    if (part.kind !== 'code') return [proseOf(part)];
    this.#note(part.line, `this block${part.tag === '' ? '' : ` of ${part.tag}`} is kept as text; nothing runs it`);
    return fenced(part);
  }

  /** Onto the last step that has a script and no rollback yet, of those that are dangerous if there is one. */
  #addRollback(section: Section): boolean {
    // Of a page that is about nothing else it is the procedure itself.
    if (this.#steps.every(({ script }) => script === null)) return false;
    const [block, ...others] = section.parts.filter(hasCommands);
    const free = ({ script, rollback }: DraftStep): boolean => script !== null && rollback === null;
    const dangerous = this.#steps.findLastIndex((one) => free(one) && dangersIn(one.script?.lines ?? []).length > 0);
    const index = dangerous === -1 ? this.#steps.findLastIndex(free) : dangerous;
    const step = this.#steps[index];
    if (block === undefined || others.length > 0 || step === undefined) {
      // Nothing may run it by mistake behind the steps.
      this.#describe(section, false);
      if (block !== undefined)
        this.#note(section.line, 'decide which steps this takes back, and put it under `### Rollback` there');
      return true;
    }
    const lines = commandsOf(block.tag, block.lines)?.lines ?? [];
    this.#steps[index] = { ...step, rollback: { lines, line: block.line } };
    this.#note(section.line, `this is proposed as the rollback of “${step.name}”; nothing runs it`);
    return true;
  }

  #note(line: number, text: string): void {
    this.#notes.push({ line, text });
  }
}

interface Candidate {
  readonly name: string;
  readonly line: number;
  readonly parts: readonly PagePart[];
  readonly code: CodePart | null;
  readonly told: ItemPart | null;
}

/** What a person does, in words of the page; what the instruction says already is not said twice. */
function byHand(name: string, prose: readonly Prose[], told: ItemPart | null): Pick<DraftStep, 'manual' | 'prose'> {
  const texts = prose
    .filter(({ isCode, text }) => isCode !== true && !isTableRow(text))
    .map(({ text }) => plainText(text.replace(/^- /, '')));
  const said =
    told === null ? texts.filter((text) => text !== '' && !/^`+/.test(text)).join(' ') : plainText(told.text);
  const manual = shortened(said === '' ? name : said, MAX_MANUAL);
  const isMore = prose.some(({ isCode, text }) => isCode === true || isTableRow(text));
  if (told === null && manual === said && !isMore) return { manual, prose: [] };
  return { manual, prose: prose.filter(({ text }) => text === '' || plainText(text) !== manual) };
}

function isStepItem(part: PagePart): part is ItemPart {
  return part.kind === 'item' && (part.ordered || part.checkbox);
}

function proseOf(part: TextPart | ItemPart): Prose {
  return { line: part.line, text: part.kind === 'item' ? `- ${part.text}` : part.text };
}

/** As documentation. */
function fenced({ lines, line }: CodePart): readonly Prose[] {
  const fence = '`'.repeat(Math.max(3, longestRun(lines) + 1));
  return [
    { line, text: '' },
    { line, text: `${fence}text` },
    ...lines.map((text, index) => ({ line: line + index, text, isCode: true })),
    { line, text: fence },
    { line, text: '' },
  ];
}
