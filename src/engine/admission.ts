/**
 * How many runs a server carries out at once: the others wait in a queue, in the order in which they came, and each is told its place.
 * It counts what goes on in this process; whether a document's `concurrency` leaves room is for the ledger to say, which knows the
 * runs of all processes. A command line has none of this: whoever sits there rather hears at once that it is busy.
 */
import { RunbookError } from '../core/errors.ts';
import type { Clock, Identity } from '../core/ports.ts';

export interface AdmissionLimits {
  readonly maxRunning: number;
  readonly maxWaiting: number;
}

/** What is known of a run that wants to begin. */
export interface Applicant {
  readonly runId: string;
  /** Of its document; null: it has none that others could share. */
  readonly path: string | null;
  /** Runs of the document at once; null: any number. */
  readonly concurrency: number | null;
  /** The run whose script asks for this one; null: a person or a program does. */
  readonly parent: string | null;
}

export interface Admission {
  /** Runs that have begun or may begin, those asked for by scripts of others among them. */
  readonly running: number;
  readonly waiting: number;
  /** Place in the queue, from 1; null: it does not wait. */
  placeOf(runId: string): number | null;
  /** What `enter` would say, before anything is known of the document. @throws RunbookError `busy` */
  checkRoom(identity: Identity | null): void;
  /** To be called before the run is enqueued, and followed by `leave`. @throws RunbookError `busy` */
  enter(applicant: Applicant): Turn;
  /** Who waits does so no longer: `come` rejects with this. Nobody may wait from now on. */
  close(reason: RunbookError): void;
}

export interface Turn {
  /** Whether it may wait for others; who may not hears at once that it is busy. */
  readonly mayWait: boolean;
  /** Whether it may begin now. */
  readonly isAdmitted: boolean;
  /**
   * Resolves when the run may begin, or the signal is aborted. Rejects with the reason of `close`.
   * @param tell hears of each new place, one after the other
   */
  come(stop: AbortSignal, tell: (place: number) => Promise<void>): Promise<void>;
  /** It has begun. */
  begun(): void;
  /** It could not begin after all, since another process holds the document: it waits again, where it was in the queue. */
  stepBack(): void;
  /** The run is over, or never began. */
  leave(): void;
}

/** Another process tells nobody when it has ended. */
const RETRY_MS = 500;

/** @param onBegun hears how long a run has waited that has begun */
export function createAdmission(
  { maxRunning, maxWaiting }: AdmissionLimits,
  clock: Pick<Clock, 'monotonicMs'>,
  onBegun: (waitedMs: number) => void = () => {},
): Admission {
  const queue: Entry[] = [];
  const running = new Set<Entry>();
  let arrivals = 0;
  let closed: RunbookError | null = null;

  const countOf = (isMeant: (entry: Entry) => boolean): number => [...running].filter(isMeant).length;
  const isFull = ({ path, concurrency }: Applicant): boolean =>
    path !== null && concurrency !== null && countOf((other) => other.path === path) >= concurrency;

  /** Whoever may begin does; then each that still waits hears its place. */
  const advance = (): void => {
    let taken = countOf(({ parent }) => parent === null);
    // Nobody overtakes a run of the same document, which may have said something else of its concurrency then.
    const held = new Set<string>();
    for (const entry of closed === null ? queue.slice() : []) {
      if (taken >= maxRunning) break;
      if (entry.path !== null && held.has(entry.path)) continue;
      if (entry.isHeldElsewhere || isFull(entry)) {
        if (entry.path !== null) held.add(entry.path);
        continue;
      }
      queue.splice(queue.indexOf(entry), 1);
      running.add(entry);
      taken += 1;
    }
    for (const entry of [...queue, ...running]) entry.change();
  };
  const remove = (entry: Entry): void => {
    running.delete(entry);
    const at = queue.indexOf(entry);
    if (at !== -1) queue.splice(at, 1);
  };
  const insert = (entry: Entry): void => {
    const behind = queue.findIndex(({ arrival }) => arrival > entry.arrival);
    queue.splice(behind === -1 ? queue.length : behind, 0, entry);
  };
  const checkChildren = (parent: string): void => {
    if (countOf((other) => other.parent === parent) >= maxRunning) throw tooManyChildren(maxRunning);
  };

  return {
    get running() {
      return running.size;
    },
    get waiting() {
      return queue.length;
    },
    placeOf: (runId) => {
      const at = queue.findIndex((entry) => entry.runId === runId);
      return at === -1 ? null : at + 1;
    },
    checkRoom: (identity) => {
      const parent = identity?.run?.runId ?? null;
      if (parent !== null) checkChildren(parent);
      // Some of those that wait may do so for their document only, while there is room for others.
      else if (queue.length >= maxWaiting && countOf((other) => other.parent === null) >= maxRunning)
        throw queueIsFull(queue.length);
    },
    enter: (applicant) => {
      const { parent } = applicant;
      if (closed !== null) throw closed;
      if (parent !== null) checkChildren(parent);
      const entry = new Entry(applicant, (arrivals += 1));
      const cameAt = clock.monotonicMs();
      /** Who steps back to its place is not told it again. */
      let told = 0;
      if (parent === null) {
        insert(entry);
        advance();
        if (!running.has(entry) && queue.length > maxWaiting) {
          remove(entry);
          throw queueIsFull(queue.length);
        }
      } else running.add(entry);
      return {
        mayWait: parent === null,
        get isAdmitted() {
          return running.has(entry);
        },
        come: async (stop, tell) => {
          const hurry = (): void => {
            entry.change();
          };
          stop.addEventListener('abort', hurry);
          try {
            while (!running.has(entry) && !stop.aborted) {
              if (closed !== null) throw closed;
              const place = queue.indexOf(entry) + 1;
              if (place === told) await entry.changed();
              else await tell((told = place));
            }
          } finally {
            stop.removeEventListener('abort', hurry);
          }
        },
        begun: () => {
          onBegun(clock.monotonicMs() - cameAt);
        },
        stepBack: () => {
          if (!running.delete(entry)) return;
          entry.isHeldElsewhere = true;
          insert(entry);
          entry.retry = setTimeout(() => {
            entry.isHeldElsewhere = false;
            advance();
          }, RETRY_MS);
          advance();
        },
        leave: () => {
          clearTimeout(entry.retry);
          remove(entry);
          advance();
        },
      };
    },
    close: (reason) => {
      closed = reason;
      for (const entry of queue) entry.change();
    },
  };
}

class Entry implements Applicant {
  readonly runId: string;
  readonly path: string | null;
  readonly concurrency: number | null;
  readonly parent: string | null;
  readonly arrival: number;
  isHeldElsewhere = false;
  retry: NodeJS.Timeout | undefined;
  #wake: () => void = () => {};
  #isChanged = false;

  constructor({ runId, path, concurrency, parent }: Applicant, arrival: number) {
    this.runId = runId;
    this.path = path;
    this.concurrency = concurrency;
    this.parent = parent;
    this.arrival = arrival;
  }

  /** Something may be different for it. */
  change(): void {
    this.#isChanged = true;
    this.#wake();
  }

  /** Resolves at the next change; at once where there was one since the last time. */
  async changed(): Promise<void> {
    if (!this.#isChanged)
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    this.#isChanged = false;
  }
}

const QUEUE_IS_FULL = 'queue';

function queueIsFull(waiting: number): RunbookError {
  const message =
    waiting === 0 ? 'All places for runs are taken.' : `All places for runs are taken, and ${waiting} wait.`;
  return new RunbookError('busy', message, { fix: 'Try again in a moment.', reason: QUEUE_IS_FULL });
}

function tooManyChildren(most: number): RunbookError {
  return new RunbookError('busy', `This run has as many runs of other runbooks at once as it may (${most}).`, {
    fix: 'Let the script start the next one when another has ended.',
    reason: QUEUE_IS_FULL,
  });
}

/** Whether nothing is recorded of the refusal: what comes while all is full must not cost what is full. */
export function isOverload(error: unknown): boolean {
  return error instanceof RunbookError && error.reason === QUEUE_IS_FULL;
}
