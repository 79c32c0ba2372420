/** What no file of the repository may contain, as functions over files that need not exist. */

export interface TrackedFile {
  /** Relative to the repository, with `/`. */
  readonly path: string;
  readonly bytes: Buffer;
}

const BINARY = /\.(?:gif|ico|jpe?g|png|woff2)$/;

/**
 * What a reviewer does not see, and a machine does: format characters (bidirectional ones, zero widths, soft hyphen, tags,
 * byte order mark), separators of lines that no editor shows, letters without ink, selectors that carry hidden data; and
 * every control character but tab and line feed. Unicode TR36 and TR39; CVE-2021-42574.
 */
const HIDDEN = /[\p{Default_Ignorable_Code_Point}\p{Cf}\p{Zl}\p{Zp}]/u;
const CONTROL = /[^\P{Cc}\t\n]/u;

/** Folders of one machine. Not what follows a name, a variable or a point: that is a path inside of something. */
const PERSONAL_PATH = /(?<![\w.~)}\]-])\/(?:home|root|work|Users)\/[\w.@+-]*|\b[A-Z]:\\Users\\/g;

/** Hosts of packages: where they come from is a matter of whoever installs them. */
const REGISTRY =
  /\/\/(?:[\w-]+\.)*(?:registry|npm|artifactory|nexus|verdaccio)\.[\w.-]+|\bregistry\.(?:npmjs|yarnpkg)\.[a-z]+/gi;

/** @param examples personal paths that a document shows as an example */
export function hygieneFindings(file: TrackedFile, examples: ReadonlySet<string> = new Set()): readonly string[] {
  if (BINARY.test(file.path)) return [];
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(file.bytes);
  } catch {
    return [`${file.path} is not UTF-8`];
  }
  const findings: string[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    const where = `${file.path}:${index + 1}`;
    for (const character of line) {
      if (!HIDDEN.test(character) && !CONTROL.test(character)) continue;
      const point = (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
      findings.push(`${where} has the character U+${point}`);
    }
    for (const [found] of line.matchAll(PERSONAL_PATH))
      if (!examples.has(found)) findings.push(`${where} names ${found}`);
    for (const [found] of line.matchAll(REGISTRY)) findings.push(`${where} names the registry ${found}`);
    if (/"resolved": *"http/.test(line)) findings.push(`${where} says where a package was loaded from`);
  }
  if (text !== '' && !text.endsWith('\n')) findings.push(`${file.path} does not end with a line feed`);
  return findings;
}
