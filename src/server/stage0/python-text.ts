/** Values as Python prints them, where Stage0's sentences hold one. */

/** `['A.md', "it's.md"]`; nothing unprintable stays as it is. */
export function pythonList(texts: readonly string[]): string {
  return `[${texts.map(pythonString).join(', ')}]`;
}

function pythonString(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  let shown = '';
  for (const character of text) {
    if (character === '\\' || character === quote) shown += `\\${character}`;
    else shown += /[\p{C}\p{Zl}\p{Zp}]/u.test(character) ? escaped(character) : character;
  }
  return quote + shown + quote;
}

const SHORT = new Map([
  ['\n', '\\n'],
  ['\r', '\\r'],
  ['\t', '\\t'],
]);

function escaped(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  const hex = code.toString(16);
  if (code > 0xffff) return `\\U${hex.padStart(8, '0')}`;
  return SHORT.get(character) ?? (code > 0xff ? `\\u${hex.padStart(4, '0')}` : `\\x${hex.padStart(2, '0')}`);
}
