import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RunbookError } from '../../../src/core/errors.ts';
import { createAdmission } from '../../../src/engine/admission.ts';
import type { Admission, Applicant, Turn } from '../../../src/engine/admission.ts';
import { tries } from '../../helpers/property.ts';

const never = new AbortController().signal;
const silent = async (): Promise<void> => {};
const clock = { monotonicMs: () => performance.now() };

function admit(maxRunning: number, maxWaiting: number): Admission {
  return createAdmission({ maxRunning, maxWaiting }, clock);
}

let count = 0;
function applicant(change: Partial<Applicant> = {}): Applicant {
  count += 1;
  return { runId: `R${count}`, path: '/a.md', concurrency: null, parent: null, ...change };
}

interface Waiting {
  readonly turn: Turn;
  readonly places: readonly number[];
  readonly came: Promise<void>;
}

function wait(admission: Admission, change: Partial<Applicant> = {}): Waiting {
  const turn = admission.enter(applicant(change));
  const places: number[] = [];
  const came = turn.come(never, async (place) => {
    places.push(place);
  });
  came.catch(() => {});
  return { turn, places, came };
}

/** Whatever is due by now has happened. */
async function settled(): Promise<void> {
  await new Promise((resolve) => {
    setImmediate(resolve);
  });
}

describe('admission', () => {
  it('lets in as many as may go on, then one for each that leaves, in the order of arrival, and tells each its place', async () => {
    const admission = admit(2, 10);
    const runs = Array.from({ length: 5 }, () => wait(admission));
    await settled();
    expect(runs.map(({ turn }) => turn.isAdmitted)).toEqual([true, true, false, false, false]);
    runs[1]?.turn.leave();
    await settled();
    expect(runs.map(({ turn }) => turn.isAdmitted)).toEqual([true, false, true, false, false]);
    runs[0]?.turn.leave();
    runs[2]?.turn.leave();
    await Promise.all([runs[3]?.came, runs[4]?.came]);
    expect(runs.map(({ places }) => places)).toEqual([[], [], [1], [2, 1], [3, 2]]);
    expect([admission.running, admission.waiting]).toEqual([2, 0]);
  });

  it('refuses who would wait beyond the bound, and nobody who need not wait', async () => {
    const admission = admit(1, 1);
    const [first, second] = [wait(admission, { concurrency: 1 }), wait(admission)];
    expect(() => admission.enter(applicant())).toThrow('All places for runs are taken, and 1 wait.');
    expect(() => admission.checkRoom(null)).toThrow('All places for runs are taken');
    second.turn.leave();
    expect(() => admission.checkRoom(null)).not.toThrow();
    first.turn.leave();
    expect(admit(1, 0).enter(applicant()).isAdmitted).toBe(true);
  });

  it('passes over a run whose document has as many as may be, and lets nobody of that document pass before it', async () => {
    const admission = admit(3, 10);
    const first = wait(admission, { path: '/one.md', concurrency: 1 });
    const second = wait(admission, { path: '/one.md', concurrency: 1 });
    // The document was changed meanwhile.
    const third = wait(admission, { path: '/one.md', concurrency: 9 });
    const other = wait(admission, { path: '/other.md', concurrency: 1 });
    await settled();
    expect([first, second, third, other].map(({ turn }) => turn.isAdmitted)).toEqual([true, false, false, true]);
    first.turn.leave();
    await Promise.all([second.came, third.came]);
    expect(admission.running).toBe(3);
  });

  it('gives runs of other runs no place of their own, and bounds how many one of them has at once', () => {
    const admission = admit(1, 1);
    wait(admission);
    const child = admission.enter(applicant({ parent: 'R1' }));
    expect([child.isAdmitted, child.mayWait, admission.waiting]).toEqual([true, false, 0]);
    expect(() => admission.enter(applicant({ parent: 'R1' }))).toThrow('as many runs of other runbooks at once');
    expect(admission.enter(applicant({ parent: 'R2' })).isAdmitted).toBe(true);
    child.leave();
    expect(admission.enter(applicant({ parent: 'R1' })).isAdmitted).toBe(true);
  });

  it('puts a run back where it was whose document another process holds, and lets others pass meanwhile', async () => {
    const admission = admit(1, 10);
    const held = wait(admission, { runId: 'held', path: '/held.md', concurrency: 1 });
    const [next, last] = [wait(admission, { path: '/b.md' }), wait(admission, { path: '/c.md' })];
    await held.came;
    held.turn.stepBack();
    const told: number[] = [];
    const tell = async (place: number): Promise<void> => void told.push(place);
    const comeTwice = async (): Promise<void> => {
      await held.turn.come(never, tell);
      // The other process holds it still.
      held.turn.stepBack();
      await held.turn.come(never, tell);
    };
    const again = comeTwice();
    await next.came;
    expect(admission.placeOf('held')).toBe(1);
    expect([held.turn.isAdmitted, next.turn.isAdmitted, last.turn.isAdmitted]).toEqual([false, true, false]);
    next.turn.leave();
    await last.came;
    last.turn.leave();
    await again;
    expect(told).toEqual([1]);
    expect(held.turn.isAdmitted).toBe(true);
  });

  it('ends the waiting where the run is to end, and that of all where the server does', async () => {
    const admission = admit(1, 10);
    const first = wait(admission);
    const stop = new AbortController();
    const turn = admission.enter(applicant());
    const came = turn.come(stop.signal, silent);
    const other = wait(admission);
    stop.abort();
    await came;
    expect(turn.isAdmitted).toBe(false);
    turn.leave();
    const reason = new RunbookError('busy', 'The server is about to end.', { fix: 'Wait.' });
    admission.close(reason);
    await expect(other.came).rejects.toBe(reason);
    // Its place is for nobody any more.
    first.turn.leave();
    expect(other.turn.isAdmitted).toBe(false);
    expect(() => admission.enter(applicant())).toThrow(reason);
  });

  it('never has more than may be, never waits with room, and keeps the order of each document', async () => {
    const step = fc.oneof(
      {
        weight: 3,
        arbitrary: fc.record({ document: fc.nat(3), concurrency: fc.option(fc.integer({ min: 1, max: 3 })) }),
      },
      { weight: 2, arbitrary: fc.nat(20).map((leaver) => ({ leaver })) },
    );
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 4 }), fc.array(step, { maxLength: 60 }), async (most, steps) => {
        const admission = admit(most, 1000);
        const here: { readonly turn: Turn; readonly path: string; readonly concurrency: number | null }[] = [];
        const check = (): void => {
          const running = here.filter(({ turn }) => turn.isAdmitted);
          const waiting = here.filter(({ turn }) => !turn.isAdmitted);
          expect(running.length).toBeLessThanOrEqual(most);
          if (running.length < most)
            for (const [at, { path }] of waiting.entries()) {
              const first = waiting.findIndex((one) => one.path === path);
              const limit = waiting[first]?.concurrency ?? Infinity;
              expect([at >= first, running.filter((one) => one.path === path).length >= limit]).toEqual([true, true]);
            }
        };
        for (const one of steps) {
          if ('leaver' in one) here.splice(one.leaver % Math.max(1, here.length), 1)[0]?.turn.leave();
          else {
            const path = `/${one.document}.md`;
            const turn = admission.enter(applicant({ path, concurrency: one.concurrency }));
            here.push({ turn, path, concurrency: one.concurrency });
          }
          check();
        }
        // Everybody gets a turn.
        for (let rounds = 0; here.length > 0; rounds += 1) {
          expect(rounds).toBeLessThan(1000);
          const at = here.findIndex(({ turn }) => turn.isAdmitted);
          expect(at).not.toBe(-1);
          here.splice(at, 1)[0]?.turn.leave();
          check();
        }
        expect([admission.running, admission.waiting]).toEqual([0, 0]);
      }),
      tries(200, 20_000),
    );
  });
});
