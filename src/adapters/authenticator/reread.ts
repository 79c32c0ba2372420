/** Secrets that came from files, read again. */
import { readText } from './issuer-key.ts';
import type { AuthSettings } from './issuers.ts';
import { wrongSetting } from './refusal.ts';

/** @throws RunbookError `settings` for a file that cannot be read or is empty */
export function reread(settings: AuthSettings): AuthSettings {
  const { jwtSecretFile, jwtSecretPreviousFile } = settings;
  return {
    ...settings,
    ...(jwtSecretFile === undefined ? {} : { jwtSecret: onlyLine(jwtSecretFile) }),
    ...(jwtSecretPreviousFile === undefined ? {} : { jwtSecretPrevious: onlyLine(jwtSecretPreviousFile) }),
  };
}

/** As it was read at the start: without the line end, and not empty. */
function onlyLine(path: string): string {
  const text = readText(path).replace(/\r?\n$/, '');
  if (text === '')
    throw wrongSetting(`The file ${JSON.stringify(path)} is empty.`, 'Write the secret as its only line.');
  return text;
}
