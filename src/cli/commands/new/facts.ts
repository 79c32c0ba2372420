/** What is said about a new runbook, by options or in the form, as its parts; each refused with one sentence. */
import { deniedFromAnybody, isEnvironmentName } from '../../../core/environment-names.ts';
import { RunbookError } from '../../../core/errors.ts';
import type { TemplateVariable } from '../../../core/propose/template.ts';
import { runbookName, yamlText, yamlTexts } from '../../../core/propose/text.ts';
import { looksSecret } from '../../../core/runbook.ts';

/** The name, or one made of the title. @throws RunbookError `usage` */
export function nameOf(name: string | undefined, title: string | undefined): string {
  if (name === undefined) {
    const made = title === undefined ? null : runbookName(title);
    if (made !== null) return made;
    throw new RunbookError('usage', 'The new runbook has no name.', {
      fix: 'Write `runbook new RestartService`, or give a title with --title.',
    });
  }
  const plain = name.replace(/\.md$/, '');
  if (/^[\p{L}\p{N}][\p{L}\p{N} ._-]{0,99}$/u.test(plain) && !/[ .]$/.test(plain)) return plain;
  throw new RunbookError('usage', `${JSON.stringify(name)} cannot be the name of a runbook.`, {
    fix: 'Use letters, digits, `-`, `_`, `.` and blanks, at most 100; name its folder with --dir.',
  });
}

/** Title and description as prose, each a paragraph; null where nothing is said. */
export function descriptionText(title: string | undefined, description: string | undefined): string | null {
  const paragraphs = [title, description]
    .map((text) => (text ?? '').replaceAll(/\s+/g, ' ').trim())
    .filter((text) => text !== '')
    .map((text) => (/[.!?:]$/.test(text) ? text : `${text}.`));
  return paragraphs.length === 0 ? null : paragraphs.join('\n\n');
}

/** `NAME` or `NAME=default`. @throws RunbookError `usage`, `variable-denied` */
export function templateVariables(items: readonly string[]): readonly TemplateVariable[] {
  const seen = new Set<string>();
  return items.map((item) => {
    const equals = item.indexOf('=');
    const name = (equals === -1 ? item : item.slice(0, equals)).trim();
    if (!isEnvironmentName(name)) {
      throw new RunbookError('usage', `Invalid environment variable name: ${JSON.stringify(name)}.`, {
        fix: 'Write --env NAME or --env NAME=default; a name has letters, digits and `_`.',
      });
    }
    if (deniedFromAnybody(name)) {
      throw new RunbookError('variable-denied', `${name} may not be set for a script.`, {
        fix: 'Choose another name.',
      });
    }
    if (seen.has(name)) throw new RunbookError('usage', `--env ${name} is given twice.`, { fix: 'Give it once.' });
    seen.add(name);
    if (equals !== -1 && looksSecret(name)) {
      throw new RunbookError('usage', `${name} is a secret by its name, and its value would stand in the document.`, {
        fix: `Write --env ${name} alone; the value is given at each run.`,
      });
    }
    return { name, value: equals === -1 ? null : item.slice(equals + 1) };
  });
}

/** `roles=sre`, `roles=sre,dba`: all claims are needed, any value of each. @throws RunbookError `usage` */
export function claimRows(items: readonly string[]): readonly string[] {
  const claims = new Map<string, string[]>();
  for (const item of items) {
    const equals = item.indexOf('=');
    const claim = item.slice(0, Math.max(0, equals)).trim();
    const values = item
      .slice(equals + 1)
      .split(',')
      .map((value) => value.trim())
      .filter((value) => value !== '');
    if (claim === '' || values.length === 0) {
      throw new RunbookError('usage', `${JSON.stringify(item)} is no claim.`, {
        fix: 'Write --claim roles=sre, or --claim roles=sre,dba where one of several will do.',
      });
    }
    claims.set(claim, [...(claims.get(claim) ?? []), ...values]);
  }
  return [...claims].map(([claim, values]) => `${yamlText(claim)}: ${yamlTexts(values)}`);
}
