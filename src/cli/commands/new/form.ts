/** The short form of `runbook new` at a terminal: what the options do not say. Nothing is written before its end. */
import { RunbookError } from '../../../core/errors.ts';
import { askText, QuestionLeft } from '../../interaction.ts';
import type { Terminal } from '../../terminal.ts';
import type { NewOptions } from '../new.ts';
import { claimRows, nameOf, templateVariables } from './facts.ts';

export interface Answers {
  readonly name: string | undefined;
  readonly title: string | undefined;
  readonly description?: string;
  readonly env: readonly string[];
  readonly claim: readonly string[];
}

/** A slip of the fingers ends nothing. */
const MAX_TRIES = 3;

/** @throws QuestionLeft, RunbookError `usage` where an answer is wrong three times */
export async function askForm(terminal: Terminal, argument: string | undefined, options: NewOptions): Promise<Answers> {
  return await terminal.withStopSignal(async ({ stop }) => {
    const ask = async (question: string, otherwise: string, check: (answer: string) => void): Promise<string> => {
      for (let tries = 1; ; tries += 1) {
        const shown = otherwise === '' ? '' : ` [${otherwise}]`;
        const answer = (await askText(terminal, `${question}${shown}: `, stop).catch(asLeft)).trim() || otherwise;
        try {
          check(answer);
          return answer;
        } catch (error) {
          if (!(error instanceof RunbookError) || tries === MAX_TRIES) throw error;
          terminal.say(`${error.message} ${error.fix}`);
        }
      }
    };
    const anything = (): void => {};
    const words = (answer: string): readonly string[] => answer.split(/[,\s]+/).filter((word) => word !== '');
    const claims = (answer: string): readonly string[] =>
      answer === '' ? [] : [answer.includes('=') ? answer : `roles=${answer}`];
    const title = options.title ?? (await ask('Title', argument ?? 'New runbook', anything));
    const name =
      argument ?? (await ask('Name of the file', nameOf(undefined, title), (answer) => nameOf(answer, undefined)));
    const description = await ask('What it does, in a sentence', '', anything);
    const env =
      options.env ??
      words(
        await ask('Variables (NAME or NAME=default, with commas)', '', (answer) => templateVariables(words(answer))),
      );
    const claim =
      options.claim ??
      claims(
        await ask('Roles that may run it (with commas; none: everybody)', '', (answer) => claimRows(claims(answer))),
      );
    // The title that is only the name says nothing.
    return { name, title: title === name ? undefined : title, description, env, claim };
  });
}

/** Also where a signal came instead of a key. */
function asLeft(error: unknown): never {
  throw error instanceof RunbookError ? error : new QuestionLeft();
}
