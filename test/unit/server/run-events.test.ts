/** A run is told the same, live or out of what is kept, from any place on: nothing twice, nothing left out. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { KeptOutput } from '../../../src/core/ports.ts';
import type { OutputStream, RunEvent, StepResult, StoredRun } from '../../../src/core/run.ts';
import { textOf } from '../../../src/server/runs/event-text.ts';
import { createHub } from '../../../src/server/runs/hub.ts';
import { BEGINNING, formatPosition, parsePosition } from '../../../src/server/runs/position.ts';
import type { Position } from '../../../src/server/runs/position.ts';
import { eventsAfter } from '../../../src/server/runs/replay.ts';
import { endOf, statesOf } from '../../../src/server/runs/states.ts';
import { readEvents } from '../../helpers/event-stream.ts';
import { tries } from '../../helpers/property.ts';
import { queuedRun, resultOf, timeOf } from '../../helpers/records.ts';

interface Piece {
  readonly stream: OutputStream;
  readonly bytes: Buffer;
}
interface Told {
  readonly states: readonly string[];
  readonly bytes: Readonly<Record<OutputStream, string>>;
  readonly notices: number;
  readonly dropped: number;
}

const piece = fc
  .tuple(fc.constantFrom<OutputStream>('stdout', 'stderr'), fc.uint8Array({ minLength: 1, maxLength: 9 }))
  .map(([stream, bytes]): Piece => ({ stream, bytes: Buffer.from(bytes) }));
/** Of each step; null: it was left out. */
const steps = fc.array(fc.option(fc.array(piece, { maxLength: 6 }), { freq: 5 }), { minLength: 1, maxLength: 5 });

function runOf(all: readonly (readonly Piece[] | null)[]): { readonly begun: StoredRun; readonly over: StoredRun } {
  const place = { seq: 1, prev: '', hash: '' };
  const begun: StoredRun = { ...queuedRun(1), ...place };
  const results = all.map((pieces, index): StepResult => ({
    name: `Step ${index}`,
    line: index,
    outcome: pieces === null ? 'skipped' : 'succeeded',
    exitCode: pieces === null ? null : 0,
    signal: null,
    startedAt: pieces === null ? null : timeOf(2),
    durationMs: 1,
  }));
  const over: StoredRun = {
    ...begun,
    state: 'finished',
    startedAt: timeOf(2),
    result: resultOf(1, { steps: results }),
  };
  return { begun, over };
}

/** As `engine/steps.ts` tells it. */
function* liveEvents(all: readonly (readonly Piece[] | null)[], over: StoredRun): Generator<RunEvent> {
  const { runId } = over;
  yield { type: 'started', runId, at: timeOf(2) };
  for (const [step, pieces] of all.entries()) {
    if (pieces === null) continue;
    const common = { type: 'step', runId, step, of: all.length, name: `Step ${step}` } as const;
    yield { ...common, phase: 'started' };
    for (const { stream, bytes } of pieces) yield { type: stream, runId, step, chunk: bytes };
    yield { type: 'notice', runId, level: 'warning', message: `of ${step}` };
    yield { ...common, phase: 'finished', result: over.result!.steps[step]! };
  }
}

/** The same bytes in other pieces. */
async function* keptOf(all: readonly (readonly Piece[] | null)[], size: number): AsyncGenerator<KeptOutput> {
  for (const [step, pieces] of all.entries())
    for (const { stream, bytes } of pieces ?? [])
      for (let at = 0; at < bytes.length; at += size)
        yield { kind: 'chunk', step, stream, bytes: bytes.subarray(at, at + size) };
  yield { kind: 'end', summary: null };
}

function read(text: string): { readonly told: Told; readonly ids: readonly string[] } {
  const bytes: Record<OutputStream, Buffer[]> = { stdout: [], stderr: [] };
  const states: string[] = [];
  let [notices, dropped] = [0, 0];
  const events = readEvents(text);
  for (const { event, data } of events) {
    const facts = JSON.parse(data) as {
      text?: string;
      base64?: string;
      phase?: string;
      step?: number;
      dropped?: number;
    };
    if (event === 'stdout' || event === 'stderr')
      bytes[event].push(facts.base64 === undefined ? Buffer.from(facts.text!) : Buffer.from(facts.base64, 'base64'));
    else if (event === 'notice') notices += 1;
    else if (event === 'gap') dropped += facts.dropped!;
    else states.push([event, facts.step, facts.phase].join(' '));
  }
  const whole = (stream: OutputStream): string => Buffer.concat(bytes[stream]).toString('hex');
  return {
    told: { states, bytes: { stdout: whole('stdout'), stderr: whole('stderr') }, notices, dropped },
    ids: events.map(({ id }) => id),
  };
}

function joined(first: Told, rest: Told): Told {
  return {
    states: [...first.states, ...rest.states],
    bytes: {
      stdout: first.bytes.stdout + rest.bytes.stdout,
      stderr: first.bytes.stderr + rest.bytes.stderr,
    },
    notices: first.notices + rest.notices,
    dropped: first.dropped + rest.dropped,
  };
}

async function replayed(over: StoredRun, kept: AsyncIterable<KeptOutput>, from: Position): Promise<string> {
  let text = '';
  const states = statesOf({ run: over, progress: null, end: endOf(over) });
  for await (const { event, position } of eventsAfter(from, states, kept)) text += textOf(event, position);
  return text;
}

describe('events of a run', () => {
  test('told live up to any event, and out of what is kept from there on, are those told from the beginning', async () => {
    await fc.assert(
      fc.asyncProperty(steps, fc.integer({ min: 1, max: 5 }), fc.nat(), async (all, size, cut) => {
        const { begun, over } = runOf(all);
        let stored = begun;
        const hub = createHub({ get: async () => stored });
        let text = '';
        const reader = { tell: (bytes: Buffer) => ((text += bytes.toString()), true), end: () => {} };
        await hub.during(async (hear) => {
          await hear({ type: 'queued', runId: begun.runId, at: begun.enqueuedAt, variables: [], document: 'x' });
          const live = hub.live(begun.runId)!;
          for (const { event, position } of live.after(BEGINNING)) text += textOf(event, position);
          live.join(reader);
          for (const event of liveEvents(all, over)) await hear(event);
          stored = over;
        });
        expect(hub.live(begun.runId)).toBe(null);
        const whole = read(text);
        const kept = read(await replayed(over, keptOf(all, size), BEGINNING));
        expect({ ...whole.told, notices: 0 }).toEqual(kept.told);

        const events = text.split('\n\n').filter((one) => one !== '');
        const count = cut % (events.length + 1);
        const first = events
          .slice(0, count)
          .map((one) => `${one}\n\n`)
          .join('');
        const id = read(first).ids.at(-1);
        const from = id === undefined ? BEGINNING : parsePosition(id)!;
        const rest = await replayed(over, keptOf(all, size), from);
        const { told } = read(rest);
        expect({ ...joined(read(first).told, told), notices: 0 }).toEqual({ ...whole.told, notices: 0 });
      }),
      tries(500, 50_000),
    );
  });

  test('who comes back while it goes on is told the rest from memory, notices among it', async () => {
    await fc.assert(
      fc.asyncProperty(steps, fc.nat(), fc.nat(), async (all, cut, later) => {
        const { begun, over } = runOf(all);
        let stored = begun;
        const hub = createHub({ get: async () => stored });
        let [whole, back, position]: [string, string, Position] = ['', '', BEGINNING];
        const events = [...liveEvents(all, over)];
        const [leavesAt, comesAt] = [cut % events.length, (cut % events.length) + (later % 4)];
        await hub.during(async (hear) => {
          await hear({ type: 'queued', runId: begun.runId, at: begun.enqueuedAt, variables: [], document: 'x' });
          const live = hub.live(begun.runId)!;
          const all_ = { tell: (bytes: Buffer) => ((whole += bytes.toString()), true), end: () => {} };
          const once = { tell: (bytes: Buffer) => ((back += bytes.toString()), true), end: () => {} };
          for (const { event, position: at } of live.after(BEGINNING)) whole += back = textOf(event, at);
          back = whole;
          live.join(all_);
          const leave = live.join(once);
          for (const [index, event] of events.entries()) {
            if (index === leavesAt) {
              leave();
              position = parsePosition(read(back).ids.at(-1)!)!;
            }
            if (index === comesAt || (comesAt >= events.length && index === events.length - 1)) {
              for (const { event: held, position: at } of live.after(position)) back += textOf(held, at);
              live.join(once);
            }
            await hear(event);
          }
          stored = over;
        });
        expect(read(back).told).toEqual(read(whole).told);
      }),
      tries(300, 30_000),
    );
  });

  test('what is not kept is one gap, of which a reader is told the part that it has not been told', async () => {
    const { over } = runOf([[]]);
    const kept = async function* (): AsyncGenerator<KeptOutput> {
      yield { kind: 'chunk', step: 0, stream: 'stdout', bytes: Buffer.from('head') };
      yield { kind: 'gap', dropped: 10 };
      yield { kind: 'chunk', step: 0, stream: 'stdout', bytes: Buffer.from('tail') };
      yield { kind: 'end', summary: null };
    };
    const after = async (bytes: number) => read(await replayed(over, kept(), { bytes, states: 3, notices: 0 })).told;
    expect(await after(0)).toMatchObject({ dropped: 10, bytes: { stdout: Buffer.from('headtail').toString('hex') } });
    expect(await after(9)).toMatchObject({ dropped: 5, bytes: { stdout: Buffer.from('tail').toString('hex') } });
    expect(await after(15)).toMatchObject({ dropped: 0, bytes: { stdout: Buffer.from('ail').toString('hex') } });
    expect(await after(18)).toMatchObject({ dropped: 0, bytes: { stdout: '' } });
  });

  test('an id is of its form', () => {
    for (const text of ['0.0.0', '12.3.4', '999999999999999.0.1'])
      expect(formatPosition(parsePosition(text)!)).toBe(text);
    for (const text of ['', '1', '1.2', '1.2.3.4', '-1.0.0', '1.0.0 ', '1e3.0.0', '٣.0.0', `${'9'.repeat(16)}.0.0`])
      expect(parsePosition(text)).toBe(null);
  });
});
