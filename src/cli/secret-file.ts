import { readFileSync } from 'node:fs';
import { RunbookError } from '../core/errors.ts';
import { codeOf } from '../core/failures.ts';

/** The only line of a file. `label` is what names the file. @throws RunbookError `settings` */
export function readSecretFile(file: string, label: string): string {
  const fail = (what: string, cause?: unknown): never => {
    throw new RunbookError('settings', `${label}: ${file} ${what}.`, {
      fix: 'Name a file that you may read, with the secret as its only line.',
      cause,
    });
  };
  let text: string;
  try {
    text = readFileSync(file, 'utf8').replace(/\r?\n$/, '');
  } catch (error) {
    return fail(`cannot be read (${codeOf(error)})`, error);
  }
  return text === '' ? fail('is empty') : text;
}
