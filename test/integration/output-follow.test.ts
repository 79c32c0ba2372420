/** Output that is read while it is still written: all of it arrives, in order, also what comes at the last moment. */
import { mkdtempSync, rmSync, statSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createSpool } from '../../src/adapters/output/spool.ts';
import type { KeptOutput, OutputSpool, RunOutput } from '../../src/core/ports.ts';
import { times } from '../helpers/property.ts';

let folder = '';
let output: RunOutput;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'follow-'));
  output = createSpool(folder);
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

const said = (item: KeptOutput | undefined): string =>
  item?.kind === 'chunk'
    ? `${item.step} ${item.stream} ${String(item.bytes)}`
    : item?.kind === 'gap'
      ? `gap ${item.dropped}`
      : (item?.kind ?? 'over');

/** What is told from now on, one thing at a time. */
function following(signal = new AbortController().signal): () => Promise<string> {
  const items = output.follow('run-1', signal)[Symbol.asyncIterator]();
  return async () => {
    const { done, value } = await items.next();
    return done === true ? 'over' : said(value);
  };
}

const write = (spool: OutputSpool, text: string, step = 0): void => {
  spool.write(step, 'stdout', Buffer.from(text));
};

describe('who follows a run', () => {
  test('gets each piece while the run goes on, and is told its end', async () => {
    const next = following();
    const first = next();
    const spool = output.open('run-1', 100);
    write(spool, 'one');
    expect(await first).toBe('0 stdout one');
    const second = next();
    spool.write(1, 'stderr', Buffer.from('two'));
    expect(await second).toBe('1 stderr two');
    spool.close();
    expect([await next(), await next()]).toEqual(['end', 'over']);
  });

  test('gets of more than the cap what is kept, and where the gap is', async () => {
    const next = following();
    const spool = output.open('run-1', 10);
    write(spool, '0123456789ABCDEF');
    expect(await next()).toBe('0 stdout 01234');
    const gap = next();
    spool.close();
    expect([await gap, await next(), await next(), await next()]).toEqual(['gap 6', '0 stdout BCDEF', 'end', 'over']);
  });

  test('gets what comes between the last look and the end of the wait', async () => {
    const rounds = times(40, 2000);
    for (let round = 0; round < rounds; round += 1) {
      const stop = new AbortController();
      const next = following(stop.signal);
      const spool = output.open('run-1', 100);
      write(spool, 'one');
      expect(await next()).toBe('0 stdout one');
      const last = next();
      // By now it waits, mostly; the run ends without an end in the file, as when its runner died.
      await delay(round % 3);
      write(spool, 'two');
      stop.abort();
      expect(await last).toBe('0 stdout two');
      expect(await next()).toBe('over');
      spool.close();
      await output.remove('run-1');
    }
    console.log(`${rounds} last moments, 0 missed`);
  });

  test('gets the output of a run that began and ended while it was waited for', async () => {
    const stop = new AbortController();
    const next = following(stop.signal);
    const first = next();
    await delay(5);
    const spool = output.open('run-1', 100);
    write(spool, 'one');
    stop.abort();
    expect([await first, await next()]).toEqual(['0 stdout one', 'over']);
    spool.close();
  });

  test('of a run without output hears of nothing, once waiting is over', async () => {
    const stop = new AbortController();
    const first = following(stop.signal)();
    stop.abort();
    expect(await first).toBe('over');
  });
});

describe('when a run has printed last', () => {
  const LONG_AGO = new Date('2020-01-01T00:00:00.000Z');
  const age = (): void => {
    utimesSync(join(folder, 'output', 'run-1'), LONG_AGO, LONG_AGO);
  };
  const lastAt = async (): Promise<Date | undefined> => (await output.facts('run-1'))?.lastWriteAt;

  test('is known also where nothing more reaches the disk', async () => {
    const spool = output.open('run-1', 10);
    expect(await output.facts('run-1')).toMatchObject({ runId: 'run-1', bytes: 0 });
    write(spool, '01234');
    const { size } = statSync(join(folder, 'output', 'run-1'));
    age();
    expect(await lastAt()).toEqual(LONG_AGO);
    write(spool, '56789');
    write(spool, 'ABCDE');
    const facts = await output.facts('run-1');
    expect(facts?.bytes).toBe(size);
    expect(facts?.lastWriteAt.getTime()).toBeGreaterThan(LONG_AGO.getTime());
    spool.close();
  });

  test('costs nothing while a flood comes: the file is touched once a second', async () => {
    const spool = output.open('run-1', 10);
    write(spool, '0123456789');
    age();
    // Within the second in which it was touched already, or at its very end: a few times at most, not a thousand.
    let touched = 0;
    for (let n = 0; n < 1000; n += 1) {
      write(spool, 'x');
      if (((await lastAt())?.getTime() ?? 0) > LONG_AGO.getTime()) {
        touched += 1;
        age();
      }
    }
    expect(touched).toBeLessThan(100);
    spool.close();
  });

  test('is not known of a run that is not there', async () => {
    expect(await output.facts('run-1')).toBeNull();
    expect(await output.facts('../run-1')).toBeNull();
  });
});
