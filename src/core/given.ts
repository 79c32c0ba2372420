/** What a caller gives for a script, before anything of it is used: names for everybody, over HTTP also values. Pure. */
import { deniedFromAnybody, deniedFromOthers, isEnvironmentName } from './environment-names.ts';
import { matchesName } from './environment.ts';
import { RunbookError } from './errors.ts';
import type { RunRequest } from './run.ts';
import type { Problem } from './runbook.ts';
import { environmentNames, SETTING_NAMES, SETTINGS } from './settings.ts';
import { brokenText } from './values.ts';

type Given = Pick<RunRequest, 'source' | 'given' | 'wanted' | 'envFile'>;

interface Fault {
  readonly rule: 'variable-name' | 'variable-denied' | 'variable-wrong';
  readonly name: string;
  readonly message: string;
  readonly fix: string;
}

/** Linux takes 128 KiB for one `NAME=value`, and a sentence or a record is no place for a name without end. */
const MAX_NAME_LENGTH = 255;

/** @throws RunbookError `usage`, `variable-denied`: of the first fault, and all of its kind by their names; over HTTP also as its problems */
export function refuseGiven(request: Given, openNames: readonly string[]): void {
  const faults = judge(request, openNames);
  const [first] = faults;
  if (first === undefined) return;
  const { rule, message, fix } = first;
  const alike = faults.filter((fault) => fault.rule === rule);
  throw new RunbookError(rule === 'variable-denied' ? rule : 'usage', withOthers(message, alike.slice(1)), {
    fix,
    reason: rule,
    // A person at a terminal has typed them, and has them all in the sentence.
    problems: request.source === 'api' ? alike.map(problemOf) : [],
  });
}

const MAX_NAMED = 5;

function withOthers(message: string, others: readonly Fault[]): string {
  if (others.length === 0) return message;
  const names = [...new Set(others.map(({ name }) => JSON.stringify(shown(name))))];
  const more = names.length > MAX_NAMED ? `, and ${names.length - MAX_NAMED} more` : '';
  return `${message.replace(/\.$/, '')} (also: ${names.slice(0, MAX_NAMED).join(', ')}${more}).`;
}

function problemOf({ rule, name, message, fix }: Fault): Problem {
  return { severity: 'error', rule, message, fix, line: 1, column: 1, about: shown(name) };
}

/** The same for whoever only asks: all of them, and what is left of the given variables without those. */
export function checkGiven(
  request: Given,
  openNames: readonly string[],
): { readonly problems: readonly Problem[]; readonly faulty: ReadonlySet<string> } {
  const faults = judge(request, openNames);
  return { problems: faults.map(problemOf), faulty: new Set(faults.map(({ name }) => name)) };
}

function judge({ source, given, wanted, envFile }: Given, openNames: readonly string[]): readonly Fault[] {
  const isForeign = source === 'api';
  const names = [...new Set([...given.keys(), ...wanted, ...envFile.keys()])];
  const isOpen = (name: string): boolean => openNames.some((pattern) => matchesName(pattern, name));
  const isDenied = (name: string): boolean =>
    deniedFromAnybody(name) || (isForeign && (deniedFromOthers(name) || isOperators(name)) && !isOpen(name));
  const sound = names.filter(isEnvironmentName);
  return [
    ...names.filter((name) => !isEnvironmentName(name)).map(malformed),
    ...sound.filter(isDenied).map(denied),
    ...sound.filter((name) => name.length > MAX_NAME_LENGTH).map(tooLong),
    // Over HTTP a value that no variable may have is the request's mistake; a person at a terminal is told with the rest.
    ...(isForeign ? [...given].flatMap(([name, value]) => broken(name, value)) : []),
  ];
}

/**
 * Also without `RUNBOOK_` before it, a setting of the operator (`JWT_SECRET`, `OIDC_ISSUER`): a `runbook execute` in the script
 * would trust whom the caller names.
 */
function isOperators(name: string): boolean {
  return SETTING_NAMES.some((one) => SETTINGS[one].scope === 'operator' && environmentNames(one).includes(name));
}

function malformed(name: string): Fault {
  return {
    rule: 'variable-name',
    name,
    message: `Invalid environment variable name: ${JSON.stringify(shown(name))}.`,
    fix: 'Use letters, digits and `_`; a digit may not come first.',
  };
}

function denied(name: string): Fault {
  return {
    rule: 'variable-denied',
    name,
    message: `${shown(name)} may not be set for a script: it changes how programs start, or belongs to runbook itself.`,
    fix: 'Leave it out; if the script needs it, let the script set it.',
  };
}

function tooLong(name: string): Fault {
  return {
    rule: 'variable-wrong',
    name,
    message: `The name ${shown(name)} is longer than ${MAX_NAME_LENGTH} characters.`,
    fix: 'Use a shorter one.',
  };
}

function broken(name: string, value: string): readonly Fault[] {
  if (!isEnvironmentName(name) || name.length > MAX_NAME_LENGTH) return [];
  const found = brokenText(name, value);
  return found === null ? [] : [{ rule: 'variable-wrong', name, ...found }];
}

function shown(name: string): string {
  return name.length <= MAX_NAME_LENGTH ? name : `${name.slice(0, MAX_NAME_LENGTH - 1)}\u2026`;
}
