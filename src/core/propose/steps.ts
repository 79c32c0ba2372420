/** From the parts of a page to steps: what is a step, which commands are its script, what a person does. */
import { commandsOf, looksLikeCommand } from './commands.ts';
import type { CodePart, PagePart, TextPart } from './page.ts';
import { plainText, stepName } from './text.ts';

export interface Note {
  /** In the page. */
  readonly line: number;
  /** One sentence. */
  readonly text: string;
}

/** A line of prose and where it stands in the page. */
export interface Prose {
  readonly line: number;
  readonly text: string;
  /** Inside of a fence, where everything is text. */
  readonly isCode?: boolean;
}

export interface DraftStep {
  readonly name: string;
  readonly line: number;
  readonly prose: readonly Prose[];
  /** Null: by hand; `manual` says what. */
  readonly script: { readonly lines: readonly string[]; readonly line: number } | null;
  readonly manual: string | null;
  /** How a person takes it back. */
  readonly rollback: { readonly lines: readonly string[]; readonly line: number } | null;
}

export interface Draft {
  readonly title: string | null;
  readonly description: readonly Prose[];
  readonly steps: readonly DraftStep[];
  readonly notes: readonly Note[];
}

interface Section {
  readonly heading: string;
  readonly level: number;
  readonly line: number;
  readonly parts: readonly PagePart[];
}

/** Sections that tell about the procedure; their commands, if any, are steps all the same but in those of `NEVER_STEPS`. */
const ABOUT =
  /^(?:overview|background|summary|description|introduction|about|purpose|scope|context|symptoms?|impact|prerequisites?|requirements|before you|when to|contacts?|escalation|references?|see also|links|related|further reading|notes?|owners?|ownership|glossary|history|change ?log|revision|table of contents|contents|metadata|severity|alerts?|architecture|faq|who|why|what)\b/i;
const NEVER_STEPS =
  /^(?:references?|see also|links|related|further reading|glossary|change ?log|history|revision|example)/i;
const ROLLBACK = /^(?:roll ?back|roll back|revert|undo|back ?out|how to (?:undo|revert|roll back))\b/i;
/** What a person is told to do. */
const BY_HAND =
  /^(?:please |then |now |first |next |finally )?(?:ask|log ?in|sign in|open|check|verify|confirm|notify|tell|call|page|wait|announce|post|update|make sure|ensure|click|go to|navigate|contact|inform|review|decide|look|watch|monitor|acknowledge|assign|schedule|request|approve|download|upload|select|choose|set|change|create|add|remove|send|email|write|hand|read|compare|note|record|document|schedule|join|start|stop|enable|disable|switch)\b/i;
const RUN_IT = /^(?:.{0,60}\b)?(?:run|execute|use|type|enter|issue|with|do)\b/i;
const MAX_STEPS = 500;
const MAX_MANUAL = 400;

/** @param pageTitle where the page says one besides its headings */
export function draftOf(parts: readonly PagePart[], pageTitle: string | null): Draft {
  const builder = new Builder();
  const sections = sectionsOf(parts);
  const first = sections.find(({ level }) => level > 0);
  const isTitle = first !== undefined && (first.level === 1 || pageTitle === null) && isOnlyTitle(first, sections);
  for (const section of sections) builder.add(section, isTitle && section === first);
  return { title: isTitle ? plainText(first.heading) : pageTitle, ...builder.result() };
}

/** A page whose first heading is one of many of its level has no title, unless it is the very top. */
function isOnlyTitle(first: Section, sections: readonly Section[]): boolean {
  const headings = sections.filter(({ level }) => level > 0);
  return headings.filter(({ level }) => level <= first.level).length === 1 || first.level === 1;
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

  result(): Omit<Draft, 'title'> {
    return { description: this.#description, steps: this.#steps, notes: this.#notes };
  }

  add(section: Section, isTitle: boolean): void {
    const heading = plainText(section.heading).replace(/^[\d.]+[ \t]+/, '');
    const isAbout = isTitle || section.level === 0 || ABOUT.test(heading);
    if (ROLLBACK.test(heading) && this.#addRollback(section)) return;
    const ordered = section.parts.some((part) => part.kind === 'item' && (part.ordered || part.checkbox));
    const hasCommands = section.parts.some((part) => this.#commandsIn(part) !== null);
    if (NEVER_STEPS.test(heading) || (isAbout && !hasCommands && !(ordered && isTitle))) {
      this.#describe(section, isTitle);
    } else if (ordered) {
      this.#addItems(section, isAbout);
    } else if (hasCommands || this.#isByHand(section)) {
      this.#addStep(stepName(section.heading), section.line, section.parts, isAbout ? null : section.heading);
    } else {
      this.#describe(section, isTitle);
    }
  }

  #commandsIn(part: PagePart): readonly string[] | null {
    if (part.kind !== 'code') return null;
    const commands = commandsOf(part.tag, part.lines);
    return commands === null || commands.lines.every((line) => line.trim() === '' || line.trim().startsWith('#'))
      ? null
      : commands.lines;
  }

  /** Only prose, but of the kind that tells somebody to do something. */
  #isByHand({ level, parts }: Section): boolean {
    return (
      level > 1 && parts.some((part) => part.kind !== 'code' && part.kind !== 'heading' && BY_HAND.test(part.text))
    );
  }

  #describe({ heading, level, line, parts }: Section, isTitle: boolean): void {
    if (level > 0 && !isTitle)
      this.#description.push({ line, text: '' }, { line, text: `## ${plainText(heading)}` }, { line, text: '' });
    for (const part of parts) {
      if (part.kind === 'code') {
        this.#description.push(...fenced(part));
        if (this.#commandsIn(part) !== null) this.#note(part.line, 'these commands are kept as text, not as a step');
      } else if (part.kind !== 'heading') {
        this.#description.push(proseOf(part));
      }
    }
  }

  /** Each item is a step, with all that stands before the next one of its level. */
  #addItems(section: Section, isAbout: boolean): void {
    const isStep = (part: PagePart): boolean => part.kind === 'item' && (part.ordered || part.checkbox);
    const indents = section.parts.flatMap((part) => (part.kind === 'item' && isStep(part) ? [part.indent] : []));
    const indent = Math.min(...indents);
    const starts = section.parts.flatMap((part, index) =>
      part.kind === 'item' && isStep(part) && part.indent <= indent + 1 ? [index] : [],
    );
    const before = section.parts.slice(0, starts[0]);
    if (before.some((part) => this.#commandsIn(part) !== null)) {
      this.#addStep(stepName(section.heading), section.line, before, section.heading);
    } else if (before.some((part) => part.kind !== 'code' && part.kind !== 'heading' && part.text !== '')) {
      this.#describe({ ...section, parts: before }, isAbout && section.level <= 1);
    }
    for (const [index, start] of starts.entries()) {
      const item = section.parts[start];
      if (item?.kind !== 'item') continue;
      const rest = section.parts.slice(start + 1, starts[index + 1]);
      const name = stepName(item.text);
      const isWhole = name === plainText(item.text).replace(/[\s.:;,]+$/, '');
      // What the name does not say stands below it.
      const parts: readonly PagePart[] = isWhole ? rest : [{ kind: 'text', text: item.text, line: item.line }, ...rest];
      this.#addStep(name, item.line, parts, item.text);
    }
  }

  /** One step, or one for each block of commands in it. @param told what it says itself; null for a heading that says nothing */
  #addStep(name: string, line: number, parts: readonly PagePart[], told: string | null): void {
    const groups: PagePart[][] = [[]];
    for (const part of parts) {
      groups.at(-1)?.push(part);
      if (this.#commandsIn(part) !== null) groups.push([]);
    }
    const last = groups.at(-1) ?? [];
    const hasScript = groups.length > 1;
    if (hasScript) groups.pop();
    for (const [index, group] of groups.entries()) {
      const code = group.findLast((part): part is CodePart => part.kind === 'code' && this.#commandsIn(part) !== null);
      const lead = index === 0 ? null : leadOf(group);
      const own = index === 0 ? name : lead === null ? `${name} (${index + 1})` : stepName(lead.text);
      const prose = group.filter((part) => part !== code);
      // What stands behind the last block belongs to it.
      if (hasScript && index === groups.length - 1) prose.push(...last);
      this.#push(own === '' ? name : own, group[0]?.line ?? line, line, prose, code ?? null, told);
    }
  }

  #push(
    name: string,
    line: number,
    headingLine: number,
    parts: readonly PagePart[],
    code: CodePart | null,
    told: string | null,
  ): void {
    if (this.#steps.length >= MAX_STEPS) {
      if (!this.#isFull)
        this.#note(headingLine, `this and what follows is left out: a proposal has at most ${MAX_STEPS} steps`);
      this.#isFull = true;
      return;
    }
    const prose = parts.flatMap((part) => this.#proseOfPart(part));
    const commands = code === null ? null : commandsOf(code.tag, code.lines);
    if (code !== null && commands !== null) {
      for (const { at, text } of commands.doubts) this.#note(code.line + at, text);
      this.#steps.push({
        name,
        line: Math.min(line, headingLine),
        prose,
        script: { lines: commands.lines, line: code.line },
        manual: null,
        rollback: null,
      });
      return;
    }
    const inline = this.#inlineCommand(told, parts);
    if (inline !== null) {
      this.#note(headingLine, `the command \`${shortened(inline)}\` is taken out of the sentence`);
      this.#steps.push({
        name,
        line: headingLine,
        prose,
        script: { lines: [inline], line: headingLine },
        manual: null,
        rollback: null,
      });
      return;
    }
    const texts = [told ?? name, ...prose.map(({ text }) => text).filter((text) => text !== '')].map(plainText);
    const unique = texts.filter((text, index) => text !== '' && texts.indexOf(text) === index);
    const manual = shortened(unique.length === 0 ? name : (unique[0] ?? name), MAX_MANUAL);
    this.#steps.push({ name, line: headingLine, prose, script: null, manual, rollback: null });
  }

  /** The one command of a sentence that says to run it. */
  #inlineCommand(told: string | null, parts: readonly PagePart[]): string | null {
    const texts = [
      told ?? '',
      ...parts.flatMap((part) => (part.kind === 'text' || part.kind === 'item' ? [part.text] : [])),
    ];
    const found = new Set(
      texts.flatMap((text) => [...text.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code.trim())),
    );
    const commands = [...found].filter((code) => looksLikeCommand(code) && /[ \t]/.test(code));
    const [command] = commands;
    if (command === undefined || commands.length > 1) return null;
    return texts.some((text) => text.includes(command) && RUN_IT.test(text.slice(0, text.indexOf('`'))))
      ? command
      : null;
  }

  #proseOfPart(part: PagePart): readonly Prose[] {
    if (part.kind === 'heading') return [];
    if (part.kind !== 'code') return [proseOf(part)];
    this.#note(part.line, `this block${part.tag === '' ? '' : ` of ${part.tag}`} is kept as text; nothing runs it`);
    return fenced(part);
  }

  /** Onto the last step that has a script and no rollback yet. */
  #addRollback(section: Section): boolean {
    const blocks = section.parts.filter((part): part is CodePart => this.#commandsIn(part) !== null);
    const [block] = blocks;
    const index = this.#steps.findLastIndex(({ script, rollback }) => script !== null && rollback === null);
    const step = this.#steps[index];
    if (block === undefined || blocks.length > 1 || step === undefined) {
      // Nothing may run it by mistake behind the steps.
      this.#describe(section, false);
      if (blocks.length > 0)
        this.#note(section.line, 'decide which steps this takes back, and put it under `### Rollback` there');
      return true;
    }
    const commands = commandsOf(block.tag, block.lines);
    this.#steps[index] = { ...step, rollback: { lines: commands?.lines ?? [], line: block.line } };
    this.#note(
      section.line,
      `this is proposed as the rollback of “${step.name}”; it is shown when a run fails, never run`,
    );
    return true;
  }

  #note(line: number, text: string): void {
    this.#notes.push({ line, text });
  }
}

function proseOf(part: TextPart | Exclude<PagePart, CodePart>): Prose {
  return { line: part.line, text: part.kind === 'item' ? `- ${part.text}` : part.text };
}

/** As documentation. */
function fenced({ lines, line }: CodePart): readonly Prose[] {
  const longest = Math.max(2, ...lines.flatMap((text) => (text.match(/`+/g) ?? []).map((run) => run.length)));
  const fence = '`'.repeat(longest + 1);
  return [
    { line, text: '' },
    { line, text: `${fence}text` },
    ...lines.map((text, index) => ({ line: line + index, text, isCode: true })),
    { line, text: fence },
    { line, text: '' },
  ];
}

/** The sentence before a further block of commands, if it is short enough to be a name. */
function leadOf(group: readonly PagePart[]): TextPart | null {
  const texts = group.filter((part): part is TextPart => part.kind === 'text' && part.text !== '');
  const last = texts.at(-1);
  return last !== undefined && last.text.length <= 80 && stepName(last.text).length > 3 ? last : null;
}

function shortened(text: string, length = 60): string {
  return text.length <= length ? text : `${text.slice(0, length - 1).toWellFormed()}…`;
}
