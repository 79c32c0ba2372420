/** The licences of what the bundle consists of: which packages these are, the bundler says, not a list that somebody keeps. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

interface PackageFile {
  readonly name: string;
  readonly version: string;
  readonly license?: string;
}

const RULE = '-'.repeat(100);
const IS_LICENCE = /^(licen[cs]e|copying|notice)([.-].*)?$/i;

/**
 * @param files paths of files that are in the bundle, and `package.json` of whatever else travels along
 * @returns name, version, licence and text of each package once, sorted by name
 * @throws Error where a package has neither a file with its licence nor names one: nobody may pass that on
 */
export function licencesOf(files: readonly string[]): string {
  const folders = new Set(files.flatMap((file) => packageFolder(path.resolve(file)) ?? []));
  const parts = [...folders].map((folder) => section(folder));
  return [...new Set(parts)].toSorted().join('');
}

/** One entry, in the form of all others. */
export function licence(title: string, text: string): string {
  return `${title}\n${RULE}\n${text.trim()}\n\n\n`;
}

/** The outermost folder below `node_modules` that has a name and a version: some have a bare package.json further down. */
function packageFolder(file: string): string | null {
  const [, before, name] = /^(.*\/node_modules\/)((?:@[^/]+\/)?[^/]+)\//.exec(file) ?? [];
  return before === undefined || name === undefined ? null : before + name;
}

function section(folder: string): string {
  const {
    name,
    version,
    license = '',
  } = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8')) as PackageFile;
  const texts = readdirSync(folder)
    .filter((file) => IS_LICENCE.test(file) && existsSync(path.join(folder, file)))
    .toSorted()
    .map((file) => readFileSync(path.join(folder, file), 'utf8').trim());
  if (texts.length === 0 && license === '')
    throw new Error(`${name} ${version} does not say under which licence it may be passed on.`);
  const text = texts.length > 0 ? texts.join('\n\n') : `Its package has no file with the text; it names ${license}.`;
  return licence(`${name} ${version} (${license})`, text);
}
