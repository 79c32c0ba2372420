/** Questions at the terminal, on stderr; answers to secret ones are not shown. */
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import type { Interaction } from '../core/ports.ts';
import { printable } from './render.ts';
import type { Terminal } from './terminal.ts';

export function createInteraction(terminal: Terminal): Interaction {
  const ask = async (question: string, hidden: boolean): Promise<string> => {
    let muted = false;
    const output = new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        if (!muted) terminal.stderr.write(chunk);
        done();
      },
    });
    const lines = createInterface({ input: terminal.stdin, output, terminal: true, historySize: 0 });
    // Ctrl-C and Ctrl-D at a question end the run, they do not answer it.
    const closed = new Promise<never>((_, reject) => {
      lines.once('SIGINT', () => {
        terminal.interrupt();
        lines.close();
      });
      lines.once('close', () => {
        reject(new Error('no answer'));
      });
    });
    try {
      const answer = lines.question(question);
      muted = hidden;
      return await Promise.race([answer, closed]);
    } finally {
      closed.catch(() => {});
      lines.close();
      if (hidden) terminal.stderr.write('\n');
    }
  };
  const agree = async (question: string): Promise<boolean> => {
    const answer = await ask(`${printable(question)} [y/N] `, false).catch(() => 'n');
    return ['y', 'yes'].includes(answer.trim().toLowerCase());
  };
  return {
    askVariable: async (name, description, secret) =>
      await ask(`${name}${description === '' ? '' : ` (${printable(description)})`}: `, secret),
    confirm: async (_step, text) => await agree(text),
    confirmTyping: async (step, name, expected) => {
      const answer = await ask(`${printable(step.name)}: type the value of ${name} to go on: `, false).catch(() => '');
      return expected !== '' && answer.trim() === expected;
    },
    manual: async (_step, text) => await agree(`By hand: ${text}\nDone?`),
  };
}
