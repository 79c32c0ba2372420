/**
 * Keeps secrets out of output: every stream of a run goes through here before anything else sees it, and each secret in
 * it, also in the forms that tools print, becomes `***`. This guards against accidents, not against a script that wants
 * to tell: see the ADR on masking for what is not covered.
 */
import { BASE64, HEX, PLAIN } from './alphabet.ts';
import { Automaton } from './automaton.ts';
import { Filter } from './filter.ts';
import { formsOf } from './forms.ts';
import { withoutLineEnd } from './pieces.ts';
import { refusalOf } from './refusal.ts';
import { AutomataStream } from './stream.ts';
import type { Automata, MaskStream } from './stream.ts';

/** Secrets of one run, and the streams that are masked with them. */
export interface Masker {
  /** Takes effect for every byte written to any stream from now on, and for what streams hold back. '' is too short. */
  add(secret: string | Uint8Array): 'masked' | 'too-short' | 'too-common';
  /** A stream of bytes; each has its own state. */
  stream(): MaskStream;
  /** A whole text (a message, a reason), masked by itself. */
  text(text: string): string;
}

/**
 * @param shared secrets of everybody's: what is added to it later counts from then on, also in streams that are under way
 * @param onSecret told every secret once, before anything that may hold it comes out of a stream
 */
export function createMasker(
  shared: ReadonlySet<string> = new Set(),
  onSecret: (secret: string) => void = () => {},
): Masker {
  const secrets = new Map<string, Buffer>();
  let automata: Automata | null = null;
  let taken = 0;
  /** Made when bytes come, not with each of many secrets that are added one after another. */
  const current = (): Automata | null => {
    if (shared.size !== taken) takeShared();
    if (automata === null && secrets.size > 0) automata = compile([...secrets.values()]);
    return automata;
  };
  const add: Masker['add'] = (secret) => {
    const bytes = withoutLineEnd(Buffer.from(secret));
    const refusal = refusalOf(bytes.toString());
    if (refusal !== null) return refusal;
    const key = bytes.toString('latin1');
    if (!secrets.has(key)) {
      secrets.set(key, bytes);
      automata = null;
      onSecret(bytes.toString());
    }
    return 'masked';
  };
  function takeShared(): void {
    taken = shared.size;
    for (const secret of shared) add(secret);
  }
  return {
    add,
    stream: () => new AutomataStream(current),
    text: (text) => {
      if (current() === null) return text;
      const stream = new AutomataStream(current);
      const bytes = Buffer.from(text);
      const masked = Buffer.concat([stream.write(bytes), stream.end()]);
      // Half a surrogate pair does not survive the way to bytes and back.
      return masked.equals(bytes) ? text : masked.toString();
    },
  };
}

function compile(secrets: readonly Buffer[]): Automata {
  const { plain, base64, hex } = formsOf(secrets);
  let filter: { readonly made: Filter | null } | null = null;
  return {
    plain: new Automaton(plain, PLAIN),
    base64: new Automaton(base64, BASE64),
    hex: new Automaton(hex, HEX),
    filter: () => (filter ??= { made: filterOf(secrets) }).made,
  };
}

/** From the secrets once more: their forms take many times the memory, and few streams are so long. */
function filterOf(secrets: readonly Buffer[]): Filter | null {
  const { plain, base64, hex } = formsOf(secrets);
  return Filter.of([
    [plain, PLAIN],
    [base64, BASE64],
    [hex, HEX],
  ]);
}
