/**
 * Spellings of bytes that hold no other character than these letters and digits: base64 and hex. The patterns are
 * written as their alphabets fold them.
 */

/**
 * base64 of the secret wherever it may lie in what is encoded, that is at three offsets. The first and the last
 * character share bits with their neighbours and are left out, unless the secret, or its line, is the end.
 */
export function base64Forms(secret: Buffer): Buffer[] {
  const forms: Buffer[] = [];
  for (const offset of [0, 1, 2]) {
    const start = Math.ceil((8 * offset) / 6);
    const lengths = new Set<number>();
    for (const end of ['', '\n']) {
      const all = Buffer.concat([Buffer.alloc(offset), secret, Buffer.from(end)]).toString('base64');
      const padding = all.indexOf('=') === -1 ? all.length : all.indexOf('=');
      // The characters that hold bits of the secret, without and with what fills up the last four.
      const touched = Math.min(padding, Math.ceil((8 * (offset + secret.length)) / 6));
      const determined = Math.floor((8 * (offset + secret.length)) / 6);
      if (!lengths.has(determined)) forms.push(Buffer.from(all.slice(start, determined), 'latin1'));
      lengths.add(determined);
      forms.push(Buffer.from(all.slice(start, touched), 'latin1'), Buffer.from(all.slice(start), 'latin1'));
    }
  }
  return forms;
}

export function hexForms(secret: Buffer): Buffer[] {
  return [Buffer.from(secret.toString('hex'), 'latin1')];
}
