/** JSON in the spelling of Python's `json.dumps`, which people match with `grep` in Stage0's event stream. */

type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json };

/** `", "` and `": "` between, everything beyond ASCII escaped. */
export function pythonJson(value: Json): string {
  if (typeof value === 'string') return `"${escapedText(value)}"`;
  if (typeof value !== 'object' || value === null) return String(value);
  if (isList(value)) return `[${value.map(pythonJson).join(', ')}]`;
  return `{${Object.entries(value)
    .map(([name, item]) => `${pythonJson(name)}: ${pythonJson(item)}`)
    .join(', ')}}`;
}

function isList(value: object): value is readonly Json[] {
  return Array.isArray(value);
}

/** What stands between the quotes. A text may be escaped in pieces, if no piece ends in half a character. */
export function escapedText(text: string): string {
  return JSON.stringify(text)
    .slice(1, -1)
    .replaceAll(/[\u007f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
