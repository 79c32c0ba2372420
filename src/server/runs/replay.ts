/** What a reader has not been told yet of a run, out of what is kept of it. */
import type { KeptOutput } from '../../core/ports.ts';
import type { OutputStream } from '../../core/run.ts';
import type { Position } from './position.ts';
import { untoldStates } from './states.ts';
import type { RunStateEvent } from './states.ts';

export type ToldEvent =
  | { readonly kind: 'state'; readonly state: RunStateEvent }
  | { readonly kind: 'output'; readonly stream: OutputStream; readonly step: number; readonly chunk: Buffer }
  | { readonly kind: 'gap'; readonly dropped: number }
  /** Of a run that is told live. */
  | { readonly kind: 'notice'; readonly data: object };

export interface Told {
  readonly event: ToldEvent;
  /** Once it is told. */
  readonly position: Position;
}

/**
 * A chunk holds until the next event is asked for.
 * @param states in their order, all that are known
 * @param isAll whether there is no more output than that for these states
 */
export async function* eventsAfter(
  from: Position,
  states: readonly RunStateEvent[],
  kept: AsyncIterable<KeptOutput>,
  isAll = true,
): AsyncGenerator<Told, Position> {
  let position = from;
  /** Bytes of the output that have gone by. */
  let passed = 0;
  const tell = (event: ToldEvent, change: Partial<Position>): Told => {
    position = { ...position, ...change };
    return { event, position };
  };
  function* statesUpTo(step: number): Generator<Told> {
    for (const [state, number] of untoldStates(states, position.states, step))
      yield tell({ kind: 'state', state }, { states: number });
  }

  yield* statesUpTo(-1);
  for await (const item of kept) {
    if (item.kind === 'gap') {
      passed += item.dropped;
      const dropped = passed - Math.max(position.bytes, passed - item.dropped);
      if (dropped > 0) yield tell({ kind: 'gap', dropped }, { bytes: passed });
    }
    if (item.kind !== 'chunk') continue;
    const { stream, step, bytes } = item;
    passed += bytes.length;
    const untold = passed - position.bytes;
    if (untold <= 0) continue;
    yield* statesUpTo(step);
    const chunk = bytes.subarray(Math.max(0, bytes.length - untold));
    yield tell({ kind: 'output', stream, step, chunk }, { bytes: passed });
  }
  if (!isAll) return position;
  yield* statesUpTo(Infinity);
  const last = states[position.states];
  if (last !== undefined) yield tell({ kind: 'state', state: last }, { states: position.states + 1 });
  return position;
}
