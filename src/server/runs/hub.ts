/** The runs that this server carries out now, as they are told live: each event is made into text once, for all readers. */
import type { RunLedger } from '../../core/ports.ts';
import type { RunEvent, RunEventSink, StoredRun } from '../../core/run.ts';
import { eventText, textOf } from './event-text.ts';
import { BEGINNING } from './position.ts';
import type { Position } from './position.ts';
import type { Told, ToldEvent } from './replay.ts';
import { endOf, statesOf, stepFinished, stepStarted, untoldStates } from './states.ts';
import type { RunStateEvent } from './states.ts';

/** Of the newest output so much is held: who comes back within it misses nothing that the cap does not keep. */
const RING_BYTES = 1024 ** 2;
/** … in at most so many pieces, since each takes memory of its own. */
const RING_LENGTH = 2048;

export interface LiveReader {
  /** @returns false where it is gone */
  readonly tell: (text: Buffer) => boolean;
  /** There is nothing more to tell. */
  readonly end: () => void;
}

export interface LiveRun {
  readonly run: StoredRun;
  /** All that were told, in order. */
  readonly states: readonly RunStateEvent[];
  /** From where on everything can be told from memory. */
  readonly since: number;
  /** What is held and was not told by then; holds as long as nobody waits in between. `from` is not before `since`. */
  after(from: Position): Iterable<Told>;
  /** For what comes from now on. @returns what ends it */
  join(reader: LiveReader): () => void;
}

export interface Hub {
  /** Null for a run that is not carried out here, or not any more. */
  live(runId: string): LiveRun | null;
  /** Hears a run from `queued` to its end. `work` gets the ear; nothing that it does fails or waits for a reader. */
  during<T>(work: (hear: RunEventSink) => Promise<T>): Promise<T>;
  /** A step of the run asks: whoever reads its events may answer. */
  ask(runId: string, question: object): void;
  /** Readers that are told live. */
  readonly readers: number;
}

/** @param questionOf what a step of the run asks now; null: nothing */
export function createHub(
  ledger: Pick<RunLedger, 'get'>,
  questionOf: (runId: string) => object | null = () => null,
): Hub {
  const runs = new Map<string, HubRun>();
  return {
    live: (runId) => runs.get(runId) ?? null,
    ask: (runId, question) => {
      runs.get(runId)?.ask(question);
    },
    get readers() {
      return [...runs.values()].reduce((sum, { readers }) => sum + readers, 0);
    },
    during: async (work) => {
      let told: HubRun | null = null;
      const hear: RunEventSink = async (event) => {
        if (event.type === 'queued') {
          const run = await ledger.get(event.runId);
          if (run !== null) runs.set(event.runId, (told = new HubRun(run, questionOf)));
        } else told?.hear(event);
      };
      try {
        return await work(hear);
      } finally {
        const ended = told as HubRun | null;
        if (ended !== null) {
          ended.end(await ledger.get(ended.run.runId).catch(() => null));
          runs.delete(ended.run.runId);
        }
      }
    },
  };
}

type Output = Extract<ToldEvent, { readonly kind: 'output' }>;

class HubRun implements LiveRun {
  readonly run: StoredRun;
  readonly states: RunStateEvent[] = [];
  since = 0;
  /** In the queue, from 1. */
  private place: number | null = null;
  private position: Position = BEGINNING;
  private readonly ring: { readonly from: number; readonly event: Output }[] = [];
  private readonly notices: ToldEvent[] = [];
  private readonly begun = new Set<number>();
  private readonly all = new Set<LiveReader>();
  private readonly questionOf: (runId: string) => object | null;

  constructor(run: StoredRun, questionOf: (runId: string) => object | null) {
    this.run = run;
    this.questionOf = questionOf;
    for (const state of statesOf({ run, progress: null, end: null })) this.tellState(state);
  }

  get readers(): number {
    return this.all.size;
  }

  join(reader: LiveReader): () => void {
    this.all.add(reader);
    if (this.place !== null) reader.tell(Buffer.from(eventText('waiting', { place: this.place }, null)));
    const question = this.questionOf(this.run.runId);
    if (question !== null) reader.tell(Buffer.from(eventText('question', question, null)));
    return () => this.all.delete(reader);
  }

  hear(event: RunEvent): void {
    switch (event.type) {
      case 'started':
        this.place = null;
        this.tellState({ name: 'started', data: { at: event.at }, beforeStep: -1, isLast: false });
        return;
      case 'step':
        this.hearStep(event);
        return;
      case 'stdout':
      case 'stderr':
        this.hearOutput({ kind: 'output', stream: event.type, step: event.step, chunk: event.chunk });
        return;
      case 'waiting':
        this.place = event.place;
        this.send(() => eventText('waiting', { place: event.place }, null));
        return;
      case 'notice': {
        if (event.level === 'detail') return;
        const notice: ToldEvent = { kind: 'notice', data: { level: event.level, message: event.message } };
        this.notices.push(notice);
        this.position = { ...this.position, notices: this.notices.length };
        this.send(() => textOf(notice, this.position));
        return;
      }
      default:
    }
  }

  ask(question: object): void {
    this.send(() => eventText('question', question, null));
  }

  /** @param run with its end; where it has none here, readers ask anew */
  end(run: StoredRun | null): void {
    const end = run === null ? null : endOf(run);
    const states = run === null || end === null ? [] : statesOf({ run, progress: null, end });
    for (const state of states.slice(this.states.length)) this.tellState(state);
    for (const reader of this.all) reader.end();
    this.all.clear();
  }

  private hearStep({ step, of, name, phase, result }: Extract<RunEvent, { readonly type: 'step' }>): void {
    if (phase === 'started') {
      this.begun.add(step);
      this.tellState({ name: 'step', data: stepStarted(step, of, name), beforeStep: step, isLast: false });
      return;
    }
    // One that is left out may be told because it can be taken back: it is no state of this run.
    if (!this.begun.has(step) || result === undefined) return;
    this.tellState({ name: 'step', data: stepFinished(step, of, result), beforeStep: step + 1, isLast: false });
  }

  private tellState(state: RunStateEvent): void {
    this.states.push(state);
    this.position = { ...this.position, states: this.states.length };
    this.send(() => textOf({ kind: 'state', state }, this.position));
  }

  private hearOutput(event: Output): void {
    const { bytes } = this.position;
    this.ring.push({ from: bytes, event });
    this.position = { ...this.position, bytes: bytes + event.chunk.length };
    const { ring, position } = this;
    // The last one stays, however large it is.
    while (ring[1] !== undefined && (position.bytes - ring[1].from >= RING_BYTES || ring.length > RING_LENGTH))
      ring.shift();
    this.since = ring[0]?.from ?? 0;
    this.send(() => textOf(event, this.position));
  }

  *after(from: Position): Generator<Told> {
    const { states } = this;
    let position = from;
    const tell = (event: ToldEvent, change: Partial<Position>): Told => {
      position = { ...position, ...change };
      return { event, position };
    };
    function* statesUpTo(step: number): Generator<Told> {
      for (const [state, number] of untoldStates(states, position.states, step))
        yield tell({ kind: 'state', state }, { states: number });
    }
    yield* statesUpTo(-1);
    for (const { from: start, event } of this.ring) {
      const untold = start + event.chunk.length - position.bytes;
      if (untold <= 0) continue;
      yield* statesUpTo(event.step);
      const chunk = event.chunk.subarray(Math.max(0, event.chunk.length - untold));
      yield tell({ ...event, chunk }, { bytes: start + event.chunk.length });
    }
    yield* statesUpTo(Infinity);
    for (const event of this.notices.slice(position.notices)) yield tell(event, { notices: position.notices + 1 });
  }

  private send(text: () => string): void {
    if (this.all.size === 0) return;
    const bytes = Buffer.from(text());
    for (const reader of this.all) if (!reader.tell(bytes)) this.all.delete(reader);
  }
}
