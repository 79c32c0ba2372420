/** One reader is told the events of one run: what is kept, then what comes, wherever the run is carried out. */
import type { RunLedger, RunOutput } from '../../core/ports.ts';
import type { StoredRun } from '../../core/run.ts';
import { aborted, sleep } from '../../engine/wait.ts';
import { textOf } from './event-text.ts';
import type { Hub, LiveRun } from './hub.ts';
import type { Position } from './position.ts';
import type { Reader } from './reader.ts';
import { eventsAfter } from './replay.ts';
import type { Told } from './replay.ts';
import { endOf, statesOf } from './states.ts';
import type { KnownRun } from './states.ts';

export interface EventPorts {
  readonly ledger: Pick<RunLedger, 'get' | 'underWay'>;
  readonly output: Pick<RunOutput, 'read' | 'facts'>;
  readonly hub: Hub;
}

/** How often a run of another process is looked at. */
const LOOK_MS = 500;
/** So much is told before the reader has to have room again. */
const AT_ONCE_BYTES = 256 * 1024;

/** Whether a reader who is there has been told all there will ever be. */
export async function hasAll({ ledger, hub }: EventPorts, run: StoredRun, { states }: Position): Promise<boolean> {
  if (hub.live(run.runId) !== null) return false;
  const known = await knownOf(ledger, run.runId);
  return known !== null && known.end !== null && states >= statesOf(known).length;
}

/** Resolves when the reader has all of it, or is gone. @throws RunbookError `io`, of the ledger */
export async function tellEvents(ports: EventPorts, runId: string, from: Position, reader: Reader): Promise<void> {
  const { hub, ledger, output } = ports;
  let position = from;
  let seen: string | null = null;
  while (!reader.gone.aborted) {
    const live = hub.live(runId);
    if (live !== null) {
      const told = await tellLive(live, position, reader, ports);
      if (told === null) return;
      position = told;
      continue;
    }
    const known = await knownOf(ledger, runId);
    if (known === null) break;
    const facts = await output.facts(runId);
    const now = `${facts?.bytes ?? 0} ${statesOf(known).length}`;
    if (now !== seen || known.end !== null) {
      seen = now;
      position = await tellAll(reader, eventsAfter(position, statesOf(known), output.read(runId)), position);
    }
    if (known.end !== null) break;
    await sleep(LOOK_MS, reader.gone);
  }
  reader.end();
}

/** @returns where the reader is by now; null where it has left, or has heard the end */
async function tellLive(
  live: LiveRun,
  from: Position,
  reader: Reader,
  { output }: EventPorts,
): Promise<Position | null> {
  if (from.bytes < live.since) {
    const kept = eventsAfter(from, live.states, output.read(live.run.runId), false);
    const position = await tellAll(reader, kept, from, ({ bytes }) => bytes >= live.since);
    if (position.bytes >= live.since || reader.gone.aborted) return position;
    // Beyond what is kept of the beginning: the end of the output will have what is kept of the rest.
    const there = { ...position, bytes: live.since };
    reader.tell(textOf({ kind: 'gap', dropped: live.since - position.bytes }, there));
    return there;
  }
  let position = from;
  let size = 0;
  for (const { event, position: next } of live.after(from)) {
    const text = textOf(event, next);
    if (!reader.tell(text)) return null;
    position = next;
    size += text.length;
    if (size > AT_ONCE_BYTES) {
      await reader.drained();
      return position;
    }
  }
  // Nothing has come in between: nobody has waited.
  const leave = live.join(reader);
  await aborted(reader.gone);
  leave();
  return null;
}

/** @returns where the reader is then */
async function tellAll(
  reader: Reader,
  events: AsyncIterable<Told>,
  from: Position,
  isEnough: (position: Position) => boolean = () => false,
): Promise<Position> {
  let position = from;
  for await (const { event, position: next } of events) {
    if (!reader.tell(textOf(event, next))) return position;
    position = next;
    if (isEnough(position)) return position;
    await reader.drained();
    if (reader.gone.aborted) return position;
  }
  return position;
}

/** Progress first: what was printed before it was noted is in the output that is read afterwards. */
async function knownOf(ledger: EventPorts['ledger'], runId: string): Promise<KnownRun | null> {
  const mine = (await ledger.underWay()).find(({ run }) => run.runId === runId);
  if (mine !== undefined) return { run: mine.run, progress: mine.progress, end: null };
  const run = await ledger.get(runId);
  return run === null ? null : { run, progress: null, end: endOf(run) };
}
