/** Folders and files of control groups: what is not there, or may not be touched, is nothing rather than an error. */
import { closeSync, constants, openSync, readdirSync, readFileSync, rmdirSync, writeSync } from 'node:fs';
import path from 'node:path';
import { codeOf } from '../../core/failures.ts';

/** A group and those that runs within the run have made below it, each after the one it is in. */
export function withBelow(folder: string): readonly string[] {
  const below = folderNames(folder).flatMap((name) => withBelow(path.join(folder, name)));
  return [folder, ...below];
}

export function folderNames(folder: string, isMeant: (name: string) => boolean = () => true): readonly string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && isMeant(entry.name))
      .map(({ name }) => name);
  } catch {
    return [];
  }
}

export function readText(folder: string, file: string): string | null {
  try {
    return readFileSync(path.join(folder, file), 'utf8');
  } catch {
    return null;
  }
}

/** The number behind `key ` at the beginning of a line. */
export function counterOf(text: string | null, key: string): number {
  const line = text?.split('\n').find((one) => one.startsWith(`${key} `));
  return Number(line?.slice(key.length) ?? 0);
}

export function words(folder: string, file: string): readonly string[] {
  return (readText(folder, file) ?? '').split(/\s+/).filter((word) => word !== '');
}

export function tryWrite(folder: string, file: string, text: string): boolean {
  try {
    // Only what is there: in a folder that is none of control groups a file would be made.
    const fd = openSync(path.join(folder, file), constants.O_WRONLY);
    try {
      writeSync(fd, text);
    } finally {
      closeSync(fd);
    }
    return true;
  } catch {
    return false;
  }
}

/** `stays`: another attempt would not help, as where the mount can only be read. */
export function removeFolder(folder: string): 'gone' | 'busy' | 'stays' {
  try {
    rmdirSync(folder);
    return 'gone';
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return 'gone';
    return codeOf(error) === 'EBUSY' ? 'busy' : 'stays';
  }
}
