/** What the words of a page ask for: which headings only tell, what a person does, which command a sentence names. */
import { commandsOf, looksLikeCommand } from './commands.ts';
import type { CodePart, PagePart, TextPart } from './page.ts';
import { isTableRow, plainText, stepName } from './text.ts';

/** Sections that tell about the procedure; their commands, if any, are steps all the same but in those of `NEVER_STEPS`. */
const ABOUT =
  /^(?:overview|background|summary|description|introduction|about|purpose|scope|context|symptoms?|impact|prerequisites?|requirements|before you|when to|contacts?|escalation|references?|see also|links|related|further reading|notes?|owners?|ownership|glossary|history|change ?log|revision|table of contents|contents|metadata|severity|alerts?|architecture|faq|who|why|what|required permissions)\b/i;
const NEVER_STEPS =
  /^(?:references?|see also|links|related|further reading|glossary|change ?log|history|revision|example)/i;
/** What goes wrong, and what stands at the end of a page: no step where it stands behind the steps. */
const APPENDIX =
  /^(?:trouble[ -]?shooting|known (?:issues|problems|errors)|common (?:issues|problems|errors)|(?:if|when) (?:it|this|that|something|anything|things?|the .{1,40}) (?:fails?|goes wrong|go wrong|breaks?|does not|doesn['’]t)|in case of|what (?:if|can go wrong)|error handling|failure modes?|debugging|emergency|appendix|annex|tips|alternatives?|fehler(?:behebung|suche|behandlung|bilder)?|problem(?:e|behebung|behandlung|lösung)|störungs?(?:behebung|beseitigung)?|bekannte (?:fehler|probleme)|häufige (?:fehler|probleme)|wenn (?:es|etwas|das|der|die) .{0,40}(?:schief|fehl|nicht)\p{L}*|falls (?:es|etwas|das|der|die) |im fehlerfall|im notfall|notfall(?:plan)?|anhang|tipps|alternativen?|beispiele?|siehe auch|verweise|referenzen|quellen|glossar|historie|änderungs?(?:verlauf|historie)|weiterführend\p{L}*)(?!\p{L})/iu;
const ABOUT_IN_GERMAN =
  /^(?:übersicht|überblick|hintergrund|zusammenfassung|beschreibung|einleitung|zweck|ziel|geltungsbereich|symptome?|auswirkung(?:en)?|voraussetzung(?:en)?|vorbedingung(?:en)?|bevor|wann|ansprechpartner|kontakte?|eskalation|verantwortlich(?:e|keit(?:en)?)?|zuständig(?:keit(?:en)?)?|hinweise?|anmerkung(?:en)?|architektur|warum|wer|was|berechtigung(?:en)?)(?!\p{L})/iu;
const ROLLBACK =
  /^(?:(?:how to |plan (?:for|to) )?(?:roll(?:ing)?[ -]?back|revert(?:ing)?|undo(?:ing)?|back(?:ing)?[ -]?out|fall[ -]?back|abort(?:ing)?|un-?do)|(?:das |den |die )?zurück(?:rollen|nehmen|nahme|setzen|drehen|bauen|stellen|schalten|wechseln)|(?:das |alles )?rückgängig(?: machen)?|rück(?:bau|fall|nahme|abwicklung|fallplan|fallebene)|abbruch|abbrechen)(?!\p{L})/iu;
/** What belongs to the procedure though it stands behind it. */
const STILL_FORWARD =
  /^(?:verif|check|validat|confirm|test|clean|after|post|finish|final|clos|complet|next|then|notif|communicat|announc|wrap|follow|prüf|überprüf|kontroll|verifi|aufräum|nach|abschluss|abschließ|danach|anschließ|zum schluss|mitteil|benachrichtig|meld|phase|step|schritt|part|teil|stage)/iu;
/** Headings above steps that say nothing themselves. */
const CONTAINER =
  /^(?:steps?|procedure|instructions|runbook|process|how to|resolution|actions?|playbook|remediation|mitigation|checklist|vorgehen(?:sweise)?|durchführung|ablauf|schritte?|anleitung|arbeitsschritte|prozedur|maßnahmen?)$/i;
const ROLES = /\b(?:permissions?|roles?|access|who (?:may|can))\b/i;
const NUMBERED = /^(?:(?:step|schritt)[ \t]*)?\d{1,3}[.):]/i;
/** What a person is told to do. */
const BY_HAND =
  /^(?:please |then |now |first |next |finally )?(?:ask|log ?in|sign in|open|check|verify|confirm|notify|tell|call|page|wait|announce|post|update|make sure|ensure|click|go to|navigate|contact|inform|review|decide|look|watch|monitor|acknowledge|assign|schedule|request|approve|download|upload|select|choose|set|change|create|add|remove|send|email|write|hand|read|compare|note|record|document|join|start|stop|enable|disable|switch)\b/i;
const RUN_IT = /\b(?:run|execute|use|type|enter|issue|with)\b/i;

export const tellsAbout = (heading: string): boolean => ABOUT.test(heading) || ABOUT_IN_GERMAN.test(composed(heading));
export const neverHasSteps = (heading: string): boolean => NEVER_STEPS.test(heading);
export const isAppendix = (heading: string): boolean => APPENDIX.test(composed(heading));
export const takesBack = (heading: string): boolean => ROLLBACK.test(composed(heading));
export const isContainer = (heading: string): boolean => CONTAINER.test(composed(heading));
export const goesOn = (heading: string): boolean => STILL_FORWARD.test(composed(heading));
export const isNumbered = (heading: string): boolean => NUMBERED.test(plainText(heading));
export const speaksOfRoles = (heading: string): boolean => ROLES.test(heading);

/** An umlaut is one letter or two. */
function composed(heading: string): string {
  return heading.normalize('NFC').trim();
}

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
