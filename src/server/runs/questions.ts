/** Steps that ask, in runs that nobody is at the terminal of (`confirm=ask`): each question waits here for who answers it over HTTP. */
import type { Interaction } from '../../core/ports.ts';
import type { RunEvent } from '../../core/run.ts';
import type { Step } from '../../core/runbook.ts';

/** What callers see of it. */
export interface Question {
  /** Counts from 1. */
  readonly step: number;
  readonly name: string;
  /** `manual`: whether it is done. `typing`: the value of `variable` is to be typed. */
  readonly kind: 'confirm' | 'typing' | 'manual';
  readonly text: string;
  readonly variable?: string;
}

export interface Reply {
  readonly step: number;
  readonly answer: 'yes' | 'no';
  readonly typed?: string;
}

/**
 * `taken`: the run goes on, or ends, by it. `wrong`: that was not to be typed; `last`: for the last time, so it is a no.
 * `unasked`: nothing is asked, or another step, or something else; also while somebody else's answer is being recorded.
 * `over`: the run does not go on, or is being canceled.
 */
export type Verdict = 'taken' | 'wrong' | 'last' | 'unasked' | 'over';

/** Of one run. */
export interface Asking {
  readonly interaction: Interaction;
  hear(event: RunEvent): void;
  /** Called with every question when it is asked. */
  listen(listener: (runId: string, question: Question) => void): void;
}

export interface Questions {
  /** @param timeoutMs so long a question waits; then it counts as no */
  open(timeoutMs: number): Asking;
  of(runId: string): Question | null;
  /** @param record makes the answer durable before the run hears it; false: the run does not go on */
  answer(runId: string, reply: Reply, record: (answer: 'yes' | 'no') => Promise<boolean>): Promise<Verdict>;
}

interface Waiting {
  readonly question: Question;
  /** What is to be typed; null: nothing. */
  readonly expected: string | null;
  tries: number;
  /** Somebody's answer is being recorded. */
  isTaken: boolean;
  readonly settle: (isYes: boolean) => void;
}

/** As at the terminal: a slip of the fingers ends no run. */
const MAX_TRIES = 3;

export function createQuestions(): Questions {
  const open = new Map<string, Waiting>();
  return {
    open: (timeoutMs) => {
      const listeners: Parameters<Asking['listen']>[0][] = [];
      let [runId, step]: [string | null, number] = [null, 0];
      const ask = async (
        question: Omit<Question, 'step'>,
        expected: string | null,
        signal: AbortSignal,
      ): Promise<boolean> => {
        if (runId === null || signal.aborted) return false;
        const mine = runId;
        const { promise, resolve: settle } = Promise.withResolvers<boolean>();
        const no = (): void => {
          settle(false);
        };
        const timer = setTimeout(no, timeoutMs);
        signal.addEventListener('abort', no, { once: true });
        const waiting: Waiting = { question: { step, ...question }, expected, tries: 0, isTaken: false, settle };
        open.set(mine, waiting);
        for (const listener of listeners) listener(mine, waiting.question);
        try {
          return await promise;
        } finally {
          clearTimeout(timer);
          signal.removeEventListener('abort', no);
          open.delete(mine);
        }
      };
      return {
        hear: (event) => {
          if (event.type === 'queued') runId = event.runId;
          else if (event.type === 'step') step = event.step + 1;
        },
        listen: (listener) => {
          listeners.push(listener);
        },
        interaction: {
          onlyAgrees: true,
          askVariable: async (name) => {
            throw new TypeError(`nobody can be asked for ${name} over HTTP`);
          },
          confirm: async ({ name }: Step, text, signal) => await ask({ name, kind: 'confirm', text }, null, signal),
          confirmTyping: async ({ name }: Step, variable, expected, signal) =>
            await ask(
              { name, kind: 'typing', text: `Type the value of ${variable} to go on.`, variable },
              expected,
              signal,
            ),
          manual: async ({ name }: Step, text, signal) => await ask({ name, kind: 'manual', text }, null, signal),
        },
      };
    },
    of: (runId) => open.get(runId)?.question ?? null,
    answer: async (runId, { step, answer, typed }, record) => {
      const waiting = open.get(runId);
      if (waiting === undefined || waiting.isTaken || waiting.question.step !== step) return 'unasked';
      const { expected } = waiting;
      // An answer to the question before, sent once more, say.
      if ((expected !== null && answer === 'yes') !== (typed !== undefined)) return 'unasked';
      const isRight = typed === undefined || (expected !== '' && typed.trim() === expected);
      if (!isRight) waiting.tries += 1;
      if (!isRight && waiting.tries < MAX_TRIES) return 'wrong';
      const said = isRight ? answer : 'no';
      waiting.isTaken = true;
      let isRecorded = false;
      try {
        isRecorded = await record(said);
      } finally {
        waiting.isTaken = isRecorded;
      }
      if (!isRecorded) return 'over';
      waiting.settle(said === 'yes');
      return isRight ? 'taken' : 'last';
    },
  };
}
