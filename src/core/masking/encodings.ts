/**
 * Spellings of bytes that use nothing but letters, digits and a few signs: base64 and hex. The patterns are written as
 * their alphabets fold them.
 */

const OFFSETS = [0, 1, 2];
/** Of a character. */
const BITS = 6;
const LINE_END = Buffer.from('\n');

/**
 * base64 of bytes wherever they may lie in what is encoded, that is at three offsets. The first and the last character
 * share bits with their neighbours and are left out, but where the bytes, or a line end behind them, are the end.
 */
export function base64Forms(secret: Buffer): Buffer[] {
  return OFFSETS.flatMap((offset) => {
    const { start, end, last } = rangeAt(offset, secret);
    const alone = encode(offset, secret);
    const asLine = encode(offset, Buffer.concat([secret, LINE_END]));
    const forms = new Set([alone.slice(start, end), alone.slice(start, last), asLine.slice(start, last)]);
    for (const encoded of [alone, asLine]) forms.add(encoded.slice(start)).add(encoded.slice(start).replace(/=+$/, ''));
    return Array.from(forms, (form) => Buffer.from(form));
  });
}

/** Only the characters that nothing but these bytes decides. */
export function base64Inside(secret: Buffer): Buffer[] {
  return OFFSETS.map((offset) => {
    const { start, end } = rangeAt(offset, secret);
    return Buffer.from(encode(offset, secret).slice(start, end));
  });
}

const encode = (offset: number, bytes: Buffer): string =>
  Buffer.concat([Buffer.alloc(offset), bytes]).toString('base64');

/** Characters that hold bits of the secret alone: `[start, end)`; up to `last` there may be one that it shares. */
function rangeAt(
  offset: number,
  { length }: Buffer,
): { readonly start: number; readonly end: number; readonly last: number } {
  const bits = 8 * (offset + length);
  return { start: Math.ceil((8 * offset) / BITS), end: Math.floor(bits / BITS), last: Math.ceil(bits / BITS) };
}
