/** Everything that a secret may look like in output, as patterns for the automata. */
import { base64Forms, base64Inside } from './encodings.ts';
import { BYTE_ESCAPES, escapesOf } from './escapes.ts';
import type { Escape } from './escapes.ts';
import { piecesOf, withLineEnds } from './pieces.ts';
import type { Piece } from './pieces.ts';

/** Patterns; some may be there twice. */
export interface Forms {
  readonly plain: Buffer[];
  readonly base64: Buffer[];
  readonly hex: Buffer[];
}

/** Nothing that any of the escapes rewrites. */
const NEVER_ESCAPED = /^[A-Za-z0-9_.-]*$/;
/**
 * Bytes of the next piece that an encoded one takes in. base64 shares a character between two bytes, which would be left
 * between pieces; and a form that has begun within another is held back over a line end with it.
 */
const OVERLAP = 2;

/** All forms of all secrets, each without a line end at its end. */
export function formsOf(secrets: readonly Buffer[]): Forms {
  const forms: Forms = { plain: [], base64: [], hex: [] };
  for (const secret of secrets) {
    const text = secret.toString();
    const isText = Buffer.from(text).equals(secret);
    const around = remembering();
    const toBytes = (form: string): Buffer => Buffer.from(form, isText ? 'utf8' : 'latin1');
    for (const piece of piecesOf(isText ? text : secret.toString('latin1'))) {
      const escapes = isText ? escapesOf(`${piece.lead}${piece.line}${piece.tail}`) : BYTE_ESCAPES;
      for (const form of plainForms(piece, escapes, around)) forms.plain.push(toBytes(form));
      addEncodings(forms, piece, toBytes);
    }
  }
  return forms;
}

/** Every spelling of what is around lines: for each escape all kinds of line ends. It comes again and again. */
type Around = (text: string, escapes: readonly Escape[]) => readonly (readonly string[])[];

function remembering(): Around {
  const known = new Map<string, readonly (readonly string[])[]>();
  return (text, escapes) => {
    const key = `${escapes.length} ${text}`;
    const spellings = known.get(key) ?? escapes.map((escape) => withLineEnds(text).map(escape));
    known.set(key, spellings);
    return spellings;
  };
}

/** The line alone, and with what is around it, each in the same spelling. */
function plainForms({ lead, line, tail }: Piece, escapes: readonly Escape[], around: Around): Set<string> {
  const simple = NEVER_ESCAPED.test(line);
  if (simple && lead === '' && tail === '') return new Set([line]);
  const leads = around(lead, escapes);
  const tails = around(tail, escapes);
  const forms = new Set<string>();
  for (const [index, escape] of escapes.entries()) {
    const spelling = simple ? line : escape(line);
    forms.add(spelling);
    for (const start of leads[index] ?? []) forms.add(`${start}${spelling}`);
    for (const end of tails[index] ?? []) forms.add(`${spelling}${end}`);
  }
  return forms;
}

/** The line alone, and as it lies in the whole. */
function addEncodings(forms: Forms, piece: Piece, toBytes: (form: string) => Buffer): void {
  const { lead, line, tail, next } = piece;
  const alone = toBytes(line);
  forms.hex.push(Buffer.from(alone.toString('hex')));
  forms.base64.push(...base64Forms(alone));
  if (`${lead}${tail}${next}` === '') return;
  const following = toBytes(next).subarray(0, OVERLAP);
  const leads = withLineEnds(lead);
  const tails = withLineEnds(tail);
  const wholes = [0, 1, 2].map((ends) => `${leads[ends] ?? lead}${line}${tails[ends] ?? tail}`);
  for (const whole of new Set(wholes)) {
    const bytes = Buffer.concat([toBytes(whole), following]);
    forms.hex.push(Buffer.from(bytes.toString('hex')));
    forms.base64.push(...(next === '' ? base64Forms(bytes) : base64Inside(bytes)));
  }
}
