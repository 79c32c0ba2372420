/** What the words of a page ask for: which headings only tell, what a person does, which command a sentence names. */
import { commandsOf, looksLikeCommand } from './commands.ts';
import type { CodePart, PagePart, TextPart } from './page.ts';
import { isTableRow, plainText, stepName } from './text.ts';

/** Sections that tell about the procedure; their commands, if any, are steps all the same but in those of `NEVER_STEPS`. */
const ABOUT =
  /^(?:overview|background|summary|description|introduction|about|purpose|scope|context|symptoms?|impact|prerequisites?|requirements|before you|when to|contacts?|escalation|references?|see also|links|related|further reading|notes?|owners?|ownership|glossary|history|change ?log|revision|table of contents|contents|metadata|severity|alerts?|architecture|faq|who|why|what|required permissions)\b/i;
const NEVER_STEPS =
  /^(?:references?|see also|links|related|further reading|glossary|change ?log|history|revision|example)/i;
const ROLLBACK = /^(?:roll ?back|revert|undo|back ?out|how to (?:undo|revert|roll back))\b/i;
/** Headings above steps that say nothing themselves. */
const CONTAINER =
  /^(?:steps?|procedure|instructions|runbook|process|how to|resolution|actions?|playbook|remediation|mitigation|checklist)$/i;
const ROLES = /\b(?:permissions?|roles?|access|who (?:may|can))\b/i;
const NUMBERED = /^(?:step[ \t]*)?\d{1,3}[.):]/i;
/** What a person is told to do. */
const BY_HAND =
  /^(?:please |then |now |first |next |finally )?(?:ask|log ?in|sign in|open|check|verify|confirm|notify|tell|call|page|wait|announce|post|update|make sure|ensure|click|go to|navigate|contact|inform|review|decide|look|watch|monitor|acknowledge|assign|schedule|request|approve|download|upload|select|choose|set|change|create|add|remove|send|email|write|hand|read|compare|note|record|document|join|start|stop|enable|disable|switch)\b/i;
const RUN_IT = /\b(?:run|execute|use|type|enter|issue|with)\b/i;

export const tellsAbout = (heading: string): boolean => ABOUT.test(heading);
export const neverHasSteps = (heading: string): boolean => NEVER_STEPS.test(heading);
export const takesBack = (heading: string): boolean => ROLLBACK.test(heading);
export const isContainer = (heading: string): boolean => CONTAINER.test(heading);
export const speaksOfRoles = (heading: string): boolean => ROLES.test(heading);

/** Whether a section without commands is something that a person does. */
export function isDoneByHand(heading: string, parts: readonly PagePart[]): boolean {
  if (NUMBERED.test(plainText(heading))) return true;
  if (parts.every(isEmpty)) return BY_HAND.test(stepName(heading)) && !isContainer(plainText(heading));
  return parts.some((part) => part.kind !== 'code' && part.kind !== 'heading' && tellsToDo(part.text));
}

/** At the beginning of one of its sentences. */
function tellsToDo(text: string): boolean {
  return plainText(text)
    .split(/[.!?:] /)
    .some((sentence) => BY_HAND.test(sentence));
}

export function isEmpty(part: PagePart): boolean {
  return part.kind === 'text' && part.text === '';
}

/** Whether a block has at least one command for a shell. */
export function hasCommands(part: PagePart): part is CodePart {
  if (part.kind !== 'code') return false;
  const lines = commandsOf(part.tag, part.lines)?.lines ?? [];
  return lines.some((line) => line.trim() !== '' && !line.trim().startsWith('#'));
}

/** Code in a sentence that is a command with arguments. */
export function commandsInSentence(part: PagePart): readonly string[] {
  if (part.kind === 'code' || part.kind === 'heading') return [];
  return [...part.text.matchAll(/`([^`]+)`/g)]
    .map(([, code = '']) => code.trim())
    .filter((code) => looksLikeCommand(code) && /[ \t]/.test(code));
}

/** The one command of sentences that say to run it, or end with it. */
export function onlyCommandOf(parts: readonly PagePart[]): string | null {
  const [command, ...others] = new Set(parts.flatMap(commandsInSentence));
  if (command === undefined || others.length > 0) return null;
  const isMeant = parts.some((part) => {
    if (part.kind === 'code' || part.kind === 'heading' || !part.text.includes(command)) return false;
    if (isTableRow(part.text)) return false;
    return RUN_IT.test(part.text.slice(0, part.text.indexOf('`'))) || /: ?`[^`]+`[.!]?$/.test(part.text);
  });
  return isMeant ? command : null;
}

/** The sentence before a further block of commands, if it is short enough to be a name. */
export function leadOf(group: readonly PagePart[]): TextPart | null {
  const last = group.findLast((part): part is TextPart => part.kind === 'text' && part.text !== '');
  return last !== undefined && last.text.length <= 80 && stepName(last.text).length > 3 ? last : null;
}
