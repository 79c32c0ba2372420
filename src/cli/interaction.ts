/** Questions at the terminal, on stderr; answers to secret ones are not shown. */
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import type { Interaction } from '../core/ports.ts';
import { inline } from './render.ts';
import type { Terminal } from './terminal.ts';

/** A slip of the fingers ends no run. */
const MAX_TRIES = 3;

/** Somebody left the question with Ctrl-C or Ctrl-D. */
export class QuestionLeft extends Error {
  constructor() {
    super('The question was left unanswered.');
    this.name = 'QuestionLeft';
  }
}

/** @returns whether the person agrees. Rejects when the question is left */
export async function agree(terminal: Terminal, question: string, signal: AbortSignal): Promise<boolean> {
  for (let tries = 0; tries < MAX_TRIES; tries += 1) {
    const answer = (await ask(terminal, `${question} [y/N] `, false, signal)).trim().toLowerCase();
    if (['y', 'yes'].includes(answer)) return true;
    if (['', 'n', 'no'].includes(answer)) return false;
    terminal.say('Please answer y or n.');
  }
  return false;
}

export function createInteraction(terminal: Terminal): Interaction {
  return {
    askVariable: async (name, description, secret, signal) =>
      await ask(terminal, `${name}${description === '' ? '' : ` (${inline(description)})`}: `, secret, signal),
    confirm: async (_step, text, signal) => await agree(terminal, inline(text), signal),
    confirmTyping: async (step, name, expected, signal) => {
      const question = `${inline(step.name)}: type the value of ${name} to go on: `;
      for (let tries = 0; tries < MAX_TRIES; tries += 1) {
        if (expected !== '' && (await ask(terminal, question, false, signal)).trim() === expected) return true;
      }
      return false;
    },
    manual: async (_step, text, signal) => await agree(terminal, `By hand: ${inline(text)}\nDone?`, signal),
  };
}

/** The same questions; `hear` is told when one begins and when it is over. */
export function heardAsking(interaction: Interaction, hear: (isAsking: boolean) => void): Interaction {
  const heard =
    <A extends unknown[], R>(question: (...asked: A) => Promise<R>) =>
    async (...asked: A): Promise<R> => {
      hear(true);
      try {
        return await question(...asked);
      } finally {
        hear(false);
      }
    };
  return {
    askVariable: heard(
      async (...asked: Parameters<Interaction['askVariable']>) => await interaction.askVariable(...asked),
    ),
    confirm: heard(async (...asked: Parameters<Interaction['confirm']>) => await interaction.confirm(...asked)),
    confirmTyping: heard(
      async (...asked: Parameters<Interaction['confirmTyping']>) => await interaction.confirmTyping(...asked),
    ),
    manual: heard(async (...asked: Parameters<Interaction['manual']>) => await interaction.manual(...asked)),
  };
}

/** One line, as it is typed. @throws QuestionLeft when the question is left */
export async function askText(terminal: Terminal, question: string, signal: AbortSignal): Promise<string> {
  return await ask(terminal, question, false, signal);
}

/** Rejects when the question is left: by Ctrl-C, which also interrupts the run, by Ctrl-D, or by the signal. */
async function ask(terminal: Terminal, question: string, hidden: boolean, signal: AbortSignal): Promise<string> {
  let muted = false;
  const output = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      if (!muted) terminal.stderr.write(chunk);
      done();
    },
  });
  const lines = createInterface({ input: terminal.stdin, output, terminal: true, historySize: 0 });
  const left = new Promise<never>((_, reject) => {
    lines.once('SIGINT', () => {
      // In raw mode Ctrl-C is a character and no signal.
      terminal.interrupt();
      lines.close();
    });
    lines.once('close', () => {
      reject(new QuestionLeft());
    });
  });
  left.catch(() => {});
  try {
    const answer = lines.question(question, { signal });
    muted = hidden;
    return await Promise.race([answer, left]);
  } finally {
    lines.close();
    muted = false;
    if (hidden || signal.aborted) terminal.stderr.write('\n');
  }
}
