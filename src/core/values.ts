/** Whether a value is good for a declared variable: the one check for defaults, callers' values and typed answers. */
import { compilePattern, MAX_MATCHED_LENGTH } from './pattern.ts';
import type { EnvRequirement } from './runbook.ts';
import { parseDuration } from './units.ts';

/** Linux takes 128 KiB for one `NAME=value` (MAX_ARG_STRLEN); this leaves room for the name. */
export const MAX_VALUE_BYTES = 120 * 1024;

const INTEGER = /^-?\d{1,18}$/;
const TYPE_FORMS = {
  text: null,
  integer: { test: (value: string) => INTEGER.test(value), form: 'a whole number such as 42' },
  boolean: { test: (value: string) => value === 'true' || value === 'false', form: 'true or false' },
  duration: { test: (value: string) => parseDuration(value) !== null, form: 'a duration such as 90s, 10m or 1h30m' },
} as const;

/** Null when the value is good, else one sentence. The sentence never holds the value: it may be a secret. */
export function checkValue(
  requirement: Pick<EnvRequirement, 'name' | 'type' | 'choices' | 'pattern'>,
  value: string,
): string | null {
  const { name, type, choices, pattern } = requirement;
  const broken = brokenText(name, value);
  if (broken !== null) return broken.message;
  const form = TYPE_FORMS[type];
  if (form !== null && !form.test(value)) return `${name} must be ${form.form}.`;
  if (choices !== undefined && !choices.includes(value)) return `${name} must be one of: ${choices.join(', ')}.`;
  return pattern === undefined ? null : checkPattern(name, pattern, value);
}

/** Why no variable may have this value, whatever is declared of it; null where any text may. The sentence never holds it. */
export function brokenText(name: string, value: string): { readonly message: string; readonly fix: string } | null {
  if (!value.isWellFormed()) {
    return { message: `${name} holds half a character (a lone surrogate).`, fix: 'Send text that is whole Unicode.' };
  }
  if (hasControlCharacter(value)) {
    return {
      message: `${name} holds a control character other than tab and line break.`,
      fix: 'Leave it out of the value.',
    };
  }
  if (new TextEncoder().encode(value).length > MAX_VALUE_BYTES) {
    return {
      message: `${name} is longer than ${MAX_VALUE_BYTES / 1024} KiB.`,
      fix: 'Give less; large inputs belong into files of the runbook.',
    };
  }
  return null;
}

function checkPattern(name: string, pattern: string, value: string): string | null {
  if (value.length > 2 * MAX_MATCHED_LENGTH) {
    return `${name} is longer than the ${MAX_MATCHED_LENGTH} characters that a value with a pattern may have.`;
  }
  const compiled = compilePattern(pattern);
  if (!compiled.ok) return `The pattern of ${name} cannot be used.`;
  return compiled.pattern.matches(value) ? null : `${name} does not match the pattern \`${pattern}\`.`;
}

/** C0 other than tab, line feed and carriage return, DEL and C1: what terminals obey, and no text needs. */
export function hasControlCharacter(value: string): boolean {
  for (let index = 0; index < value.length; index += 1) {
    const code = value.charCodeAt(index);
    if (code < 0x20 ? code !== 0x09 && code !== 0x0a && code !== 0x0d : code >= 0x7f && code <= 0x9f) return true;
  }
  return false;
}
