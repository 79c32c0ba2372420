/** Everything that a secret may look like in output, as patterns for the automata. */
import { base64Forms, hexForms } from './encodings.ts';
import { ansiFormsOfBytes, jsonForms, markupForms, percentForms, percentFormsOfBytes, shellForms } from './escapes.ts';
import { refusalOf } from './refusal.ts';

export interface Forms {
  readonly plain: readonly Buffer[];
  readonly base64: readonly Buffer[];
  readonly hex: readonly Buffer[];
}

/** A line of fewer characters than this says too little to be looked for alone. */
const SHORTEST_LINE = 6;
/** Nothing that any of the escapes rewrites. */
const NEVER_ESCAPED = /^[A-Za-z0-9_.-]*$/;

/** The secret as it is kept: a line end at its end belongs to the file it was read from. */
export function withoutLineEnd(secret: Buffer): Buffer {
  let end = secret.length;
  while (end > 0 && (secret[end - 1] === 10 || secret[end - 1] === 13)) end -= 1;
  return secret.subarray(0, end);
}

/** The whole, with either kind of line ends, and each of its lines without the space around it. */
export function partsOf(secret: Buffer): Buffer[] {
  const parts = new Map([[secret.toString('latin1'), secret]]);
  const add = (latin1: string): void => {
    if (!parts.has(latin1)) parts.set(latin1, Buffer.from(latin1, 'latin1'));
  };
  // latin1 is one character a byte, so that bytes that are no text go the same way.
  const latin1 = secret.toString('latin1');
  const lines = latin1.split(/\r\n|\n|\r/);
  if (lines.length > 1) for (const end of ['\n', '\r\n']) add(lines.join(end));
  for (const line of lines) {
    const trimmed = line.replace(/^[\t ]+/, '').replace(/[\t ]+$/, '');
    const text = Buffer.from(trimmed, 'latin1').toString();
    if (Array.from(text).length >= SHORTEST_LINE && refusalOf(text) === null) add(trimmed);
  }
  return [...parts.values()];
}

/** All forms of one part. */
export function formsOf(part: Buffer): Forms {
  return { plain: plainForms(part), base64: base64Forms(part), hex: hexForms(part) };
}

function plainForms(part: Buffer): Buffer[] {
  const text = part.toString();
  if (NEVER_ESCAPED.test(text)) return [part];
  if (!Buffer.from(text).equals(part)) {
    const forms = [...percentFormsOfBytes(part), ...ansiFormsOfBytes(part)];
    return [part, ...forms.map((form) => Buffer.from(form, 'latin1'))];
  }
  const forms = new Set([...percentForms(text), ...jsonForms(text), ...shellForms(text), ...markupForms(text)]);
  forms.delete(text);
  return [part, ...Array.from(forms, (form) => Buffer.from(form))];
}
