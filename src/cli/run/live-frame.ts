/** A run at a terminal: one live line below what it prints. */
import { performance } from 'node:perf_hooks';
import type { Interaction } from '../../core/ports.ts';
import { inline } from '../render.ts';
import type { Terminal } from '../terminal.ts';
import { plainFrame } from './frame.ts';
import type { BegunStep, RunFrame } from './frame.ts';
import { createLiveLine } from './live-line.ts';
import { liveText } from './live-text.ts';

/** Null where stderr is no terminal that can do this. */
export function createLiveFrame(terminal: Terminal): RunFrame | null {
  const line = createLiveLine(terminal);
  if (line === null) return null;
  const isUnicode = hasUnicode(terminal.environment);
  let runBegan = performance.now();
  let current: (BegunStep & { readonly began: number }) | null = null;
  let lastOutput = 0;

  const text = (columns: number): string => {
    if (current === null) return '';
    const now = performance.now();
    const { step, of, name, began, start } = current;
    const { timeoutMs, runTimeoutMs } = start;
    const [elapsedMs, runElapsedMs, silentMs] = [now - began, now - runBegan, now - lastOutput];
    const progress = { step, of, name: inline(name), elapsedMs, timeoutMs, runElapsedMs, runTimeoutMs, silentMs };
    return liveText(progress, columns, isUnicode);
  };
  /** Nothing is drawn until the question is answered. */
  const paused = async <T>(question: Promise<T>): Promise<T> => {
    line.show(null);
    try {
      return await question;
    } finally {
      lastOutput = performance.now();
      line.show(current === null ? null : text);
    }
  };

  return {
    ...plainFrame(line.terminal),
    asking: (person): Interaction => ({
      askVariable: async (...args) => await paused(person.askVariable(...args)),
      confirm: async (...args) => await paused(person.confirm(...args)),
      confirmTyping: async (...args) => await paused(person.confirmTyping(...args)),
      manual: async (...args) => await paused(person.manual(...args)),
    }),
    started: () => {
      runBegan = performance.now();
    },
    beginStep: (step) => {
      lastOutput = performance.now();
      // Its terminal is its own.
      current = step.start.tty ? null : { ...step, began: lastOutput };
      line.show(current === null ? null : text);
      return false;
    },
    printed: () => {
      lastOutput = performance.now();
    },
    endStep: () => {
      current = null;
      line.show(null);
    },
    close: () => {
      line.close();
    },
  };
}

/** As setlocale(3) decides it. */
function hasUnicode(environment: ReadonlyMap<string, string>): boolean {
  const names = ['LC_ALL', 'LC_CTYPE', 'LANG'].map((name) => environment.get(name) ?? '');
  return /utf-?8/i.test(names.find((value) => value !== '') ?? '');
}
