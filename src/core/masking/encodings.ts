/**
 * Spellings of bytes that use nothing but letters, digits and a few signs: base64 and hex. The patterns are written as
 * their alphabets fold them.
 */

const OFFSETS = [0, 1, 2];
const BITS = 6;

/**
 * base64 of bytes wherever they may lie in what is encoded, that is at three offsets. The first and the last character
 * share bits with their neighbours and are left out, but where the bytes, or a line end behind them, are the end.
 */
export function base64Forms(secret: Buffer): Buffer[] {
  return OFFSETS.flatMap((offset) => {
    const start = Math.ceil((8 * offset) / BITS);
    const bits = 8 * (offset + secret.length);
    const forms = new Set([Math.floor(bits / BITS)].map((end) => encode(offset, secret).slice(start, end)));
    for (const end of ['', '\n']) {
      const encoded = encode(offset, Buffer.concat([secret, Buffer.from(end)]));
      for (const to of [Math.ceil(bits / BITS), encoded.replace(/=+$/, '').length, encoded.length])
        forms.add(encoded.slice(start, to));
    }
    return Array.from(forms, (form) => Buffer.from(form));
  });
}

const encode = (offset: number, bytes: Buffer): string =>
  Buffer.concat([Buffer.alloc(offset), bytes]).toString('base64');

/** Only the characters that nothing but these bytes decides. */
export function base64Inside(secret: Buffer): Buffer[] {
  return OFFSETS.map((offset) => {
    const encoded = encode(offset, secret);
    const [start, end] = [Math.ceil((8 * offset) / BITS), Math.floor((8 * (offset + secret.length)) / BITS)];
    return Buffer.from(encoded.slice(start, end));
  });
}
