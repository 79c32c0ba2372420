/** The command with which a person goes on after a step that did not succeed: what was typed, from that step on. */
import { shellQuote } from '../core/contract.ts';
import type { StepChoice } from '../core/run.ts';

export interface TypedCommand {
  /** How the tool was called, as words. */
  readonly program: readonly string[];
  readonly words: readonly string[];
  /** Options whose next word is their value, as `--env` and `-e`. */
  readonly valueOptions: ReadonlySet<string>;
}

/**
 * One line for a POSIX shell; null where what was typed cannot be shown on a terminal as it is.
 * @param choice takes the place of the `--from` or `--only` that was typed
 * @param wanted names of variables that are to be given by name, too
 */
export function goOnCommand(typed: TypedCommand, choice: StepChoice, wanted: readonly string[]): string | null {
  const { options, operands } = withoutChoice(typed);
  const more = [...wanted.flatMap((name) => ['--env', name]), `--${choice.kind}`, choice.step];
  const words = [...typed.program, ...options, ...more, ...operands];
  return words.some((word) => UNSHOWABLE.test(word)) ? null : words.map(shellQuote).join(' ');
}
/** Would come out as something else, or as nothing, on the screen or in what is copied from it. */
const UNSHOWABLE = /[^\P{Cc}\n]|[\p{Cf}\p{Zl}\p{Zp}]/u;

/** `operands` begin with the `--` behind which nothing is an option. */
function withoutChoice({ words, valueOptions }: TypedCommand): {
  readonly options: readonly string[];
  readonly operands: readonly string[];
} {
  const options: string[] = [];
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index] ?? '';
    if (word === '--') return { options, operands: words.slice(index) };
    const value = valueOptions.has(word) ? words.slice(index + 1, index + 2) : [];
    index += value.length;
    if (!/^--(?:from|only)(?:=|$)/.test(word)) options.push(word, ...value);
  }
  return { options, operands: [] };
}
