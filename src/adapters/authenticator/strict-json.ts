/**
 * JSON that has one meaning. `JSON.parse` lets the last of two equal keys win and makes an own `__proto__`; a reader that
 * lets the first win would see other claims in the same signed bytes, so such a text is refused.
 */

export type JsonObject = Readonly<Record<string, unknown>>;

/** Deeper than any token or key set needs, and shallow enough for every recursive walk after this one. */
const MAX_DEPTH = 32;

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"(\s*:)?|[{}[\]]/gu;

/**
 * @throws SyntaxError where the bytes are not UTF-8, not JSON, not an object, nested too deep, or have a key twice. Its
 * message says which of these, and nothing of the content.
 */
export function parseStrictJson(bytes: Uint8Array): JsonObject {
  const text = decode(bytes);
  const value = parse(text);
  if (!isJsonObject(value)) throw new SyntaxError('is not a JSON object');
  checkKeys(text);
  return value;
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function decode(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch {
    throw new SyntaxError('is not UTF-8');
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's own message quotes the text.
    throw new SyntaxError('is not JSON');
  }
}

/** `text` is known to be JSON: then strings and brackets are all that has to be looked at. */
function checkKeys(text: string): void {
  const open: Set<string>[] = [];
  for (const [token, colon] of text.matchAll(TOKEN)) {
    if (token === '{' || token === '[') {
      open.push(new Set());
      if (open.length > MAX_DEPTH) throw new SyntaxError('is nested too deep');
    } else if (token === '}' || token === ']') {
      open.pop();
    } else if (colon !== undefined) {
      // Two spellings of one key ("a" and "\u0061") are the same key.
      const key = String(JSON.parse(token.slice(0, token.length - colon.length)));
      const keys = open.at(-1);
      if (key === '__proto__') throw new SyntaxError('has a key named __proto__');
      if (keys === undefined || keys.has(key)) throw new SyntaxError('has a key twice');
      keys.add(key);
    }
  }
}
