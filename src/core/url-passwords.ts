/** Passwords inside of values that are addresses: `postgres://app:PASSWORD@db/shop`. */

/** No name and password together are longer; a value may hold many addresses. */
const MAX_LOGIN = 1024;

/**
 * Name and password of what follows `://`. Not by `URL`, which takes neither several hosts (`mongodb://…@a:1,b:2/`) nor
 * what a driver takes unescaped. The number of a port is no password, although an `@` may follow further on.
 */
const LOGIN = /^[^\s/?#:@]*:(?!\d{1,5}(?:[/?#]|$))([^\s/?#]*|[^\s@]*)@/;

/** @returns each as it stands there, and as it is meant where that is something else */
export function passwordsOf(value: string): readonly string[] {
  return [...new Set(placesOf(value).flatMap(([from, to]) => [value.slice(from, to), decoded(value.slice(from, to))]))];
}

/** The text with `***` in the place of each, however short or common it is. */
export function withoutPasswords(text: string): string {
  let [shown, at] = ['', 0];
  for (const [from, to] of placesOf(text)) {
    shown += `${text.slice(at, from)}***`;
    at = to;
  }
  return shown + text.slice(at);
}

/** Where they begin and end, in order; none overlap. */
function placesOf(value: string): readonly (readonly [from: number, to: number])[] {
  const places: (readonly [number, number])[] = [];
  for (let at = value.indexOf('://'); at !== -1; at = value.indexOf('://', at + 3)) {
    const [login = '', password = ''] = LOGIN.exec(value.slice(at + 3, at + 3 + MAX_LOGIN)) ?? [];
    const to = at + 3 + login.length - 1;
    if (password !== '') places.push([to - password.length, to]);
  }
  return places;
}

/** A sign of percent that escapes nothing is one. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll(/%(?![0-9A-Fa-f]{2})/g, '%25'));
  } catch {
    return text;
  }
}
