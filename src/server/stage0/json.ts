/** JSON in the spellings of Stage0, which people match with `grep`: everything beyond ASCII is escaped. */

type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json };

/** As `json.dumps` writes it: `", "` and `": "` between. */
export function pythonJson(value: Json): string {
  if (typeof value === 'string') return `"${escapedText(value)}"`;
  if (typeof value !== 'object' || value === null) return String(value);
  if (isList(value)) return `[${value.map(pythonJson).join(', ')}]`;
  return `{${Object.entries(value)
    .map(([name, item]) => `${pythonJson(name)}: ${pythonJson(item)}`)
    .join(', ')}}`;
}

/** As Flask answers: names in order, nothing between, a line feed at the end. @param value as for `JSON.stringify` */
export function flaskJson(value: unknown): string {
  const text = JSON.stringify(value, (_, item: unknown) =>
    typeof item === 'object' && item !== null && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : item,
  );
  return `${ascii(text)}\n`;
}

function isList(value: object): value is readonly Json[] {
  return Array.isArray(value);
}

/** What stands between the quotes. A text may be escaped in pieces, if no piece ends in half a character. */
export function escapedText(text: string): string {
  return ascii(JSON.stringify(text).slice(1, -1));
}

function ascii(text: string): string {
  return text.replaceAll(/[\u007f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
