/** The tool is killed, wherever it happens to be: afterwards the record holds, and nothing is left of any run. */
import { existsSync, readdirSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import path from 'node:path';
import { makeCgroup } from '../../src/adapters/executor/cgroup.ts';
import { openSqliteLedger } from '../../src/adapters/ledger/sqlite.ts';
import { systemClock } from '../../src/adapters/system/clock.ts';
import { createOwners } from '../../src/adapters/system/owner.ts';
import { createRunIds } from '../../src/adapters/system/run-ids.ts';
import { createWorkspace } from '../../src/adapters/workspace/temporary.ts';
import { createLanes } from '../helpers/lanes.ts';
import { examine, examineUnrecorded, NOTHING_WRONG } from '../helpers/oracle.ts';
import { times } from '../helpers/property.ts';
import { createScene, runCli, runOnce } from '../helpers/scene.ts';
import type { Disturbed, Ended } from '../helpers/scene.ts';

/** 0 B to 5 MB, the small ones more often. */
const PRINTS = 'head -c $(( (RANDOM % 6) * (RANDOM % 6) * 200000 )) /dev/zero | tr "\\0" x';
/** They share the home and the document. */
const AT_ONCE = 3;

async function allOf<T>(items: readonly T[], work: (item: T) => Promise<Ended>): Promise<readonly Ended[]> {
  const lane = createLanes(AT_ONCE);
  return await Promise.all(items.map((item) => lane(async () => await work(item))));
}

async function expectSound(scene: Disturbed, what: string, runs: readonly Ended[]): Promise<void> {
  const { findings, figures } = await examine(scene, scene.told);
  console.log(`${what}: ${figuresOf(scene, runs)}, ${JSON.stringify(figures)}, lost ${findings.lost.length}`);
  expect(findings).toEqual(NOTHING_WRONG);
}

function figuresOf({ told }: Disturbed, runs: readonly Ended[]): string {
  const killed = runs.filter(({ exitCode }) => exitCode === null).length;
  // Half of them are to die, or the test says little.
  expect(killed).toBeGreaterThan(runs.length / 4);
  return `${runs.length} tried, ${killed} killed, ${told.length} had been told of a start`;
}

describe('killed at any moment', () => {
  /** Some run undisturbed to see how long that takes here, then each is killed at some moment of such a life. */
  const killAll = async (scene: Disturbed, history: string): Promise<readonly Ended[]> => {
    const began = performance.now();
    await allOf([1, 2, 3], async () => await runCli(scene, ['--history', history]));
    const lifeMs = performance.now() - began;
    return await allOf(Array.from({ length: times(30, 2000) }), async () => {
      const moment = delay(Math.random() * lifeMs);
      return await runCli(scene, ['--history', history], {
        onStart: (kill) => {
          void moment.then(kill);
        },
      });
    });
  };

  it.each(['file', 'ledger'])(
    'with the history in the %s, all that was begun is told once, and its end',
    async (history) => {
      const scene = createScene(PRINTS);
      const runs = await killAll(scene, history);
      await runCli(scene, ['--history', history]);
      await expectSound(scene, `killed at any moment (${history})`, runs);
    },
  );

  it('without a record, nothing is left of any of them', async () => {
    const scene = createScene(PRINTS);
    const runs = await killAll(scene, 'none');
    await runCli(scene, ['--history', 'none']);
    console.log(`killed at any moment (none): ${figuresOf(scene, runs)}`);
    expect(examineUnrecorded(scene, scene.told)).toEqual([]);
  });

  it('without a record, and before anybody watched over it, its control group is given back', async () => {
    const scene = createScene();
    const runId = createRunIds(systemClock).next();
    const cgroup = makeCgroup(runId, { memoryBytes: null, processes: null, fileBytes: null, openFiles: null });
    // What it had come to: its folder, and where there are control groups one of them.
    const gone = { ...createOwners().current, startTime: 'of nobody' };
    const workspace = createWorkspace({ parent: scene.scratch, mountDir: null, owner: gone });
    await workspace.create(runId, scene.home.folder, [], new AbortController().signal);
    await runCli(scene, ['--history', 'none']);
    expect(examineUnrecorded(scene, [{ runId, exitCode: null }])).toEqual([]);
    expect(typeof cgroup === 'string' ? [] : cgroup.folders.filter((folder) => existsSync(folder))).toEqual([]);
  });
});

describe('killed before its work folder is made', () => {
  it.each(['before executor.open', 'before workspace.create'])(
    'without a record (%s), nothing is left',
    async (place) => {
      const scene = createScene();
      await runOnce(scene, { history: 'none', fault: { place, nth: 1, does: 'kill' } });
      // By its folder it is found, also where that is all there is of it besides the control group.
      const name = readdirSync(scene.scratch).find((one) => /^runbook-exec-[0-9a-z]{26}$/.test(one)) ?? '';
      const runId = name.slice('runbook-exec-'.length).toUpperCase();
      expect(runId).toHaveLength(26);
      await runOnce(scene, { history: 'none' });
      expect(examineUnrecorded(scene, [{ runId, exitCode: null }])).toEqual([]);
      expect(readdirSync(scene.scratch)).toEqual([]);
    },
  );
});

describe('killed between its last step and its end', () => {
  it('is told with how that step ended', async () => {
    const scene = createScene();
    const { runId } = await runOnce(scene, { fault: { place: 'before ledger.finish', nth: 1, does: 'kill' } });
    const { said } = await runOnce(scene);
    expect(said).toContainEqual(
      expect.stringContaining(`Run ${runId} of Effect: Interrupted after “Do” (step 1 of 1).`),
    );
    const ledger = openSqliteLedger(path.join(scene.stateDir, 'ledger.sqlite'));
    const run = await ledger.get(runId ?? '');
    ledger.close();
    expect(run?.interruption).toMatchObject({ steps: [{ name: 'Do', outcome: 'succeeded', exitCode: 0 }] });
  });
});

/** Steps that come by the clock, and the other side of the gap before the next step. */
const NO_STEP = /ledger\.(?:cancelRequest|renewLease)|^after (?!workFolder\.remove|ledger\.entryWritten)/;

describe('killed between two steps', () => {
  it('of a run, and of looking after others, the record holds', async () => {
    const scene = createScene('head -c 100000 /dev/zero | tr "\\0" x');
    await runOnce(scene, { fault: { place: 'before ledger.finish', nth: 1, does: 'kill' } });
    const { said } = await runOnce(scene, { fault: { place: '', nth: 0, does: 'tell' } });
    const passed = said.flatMap((line) => (line.startsWith('at ') ? [line.slice('at '.length)] : []));
    const steps = passed
      .filter((place) => !NO_STEP.test(place))
      .map((place, at, all) => ({ place, nth: all.slice(0, at + 1).filter((one) => one === place).length }))
      .filter(({ nth }) => nth <= 2);
    const faults = Array.from({ length: times(2, 15) }, () => steps).flat();
    const runs = await allOf(faults, async (step) => await runOnce(scene, { fault: { ...step, does: 'kill' } }));
    await runOnce(scene);
    await expectSound(scene, `killed between ${steps.length} steps`, runs);
    // Those that matter most, so that a renamed port does not empty the test.
    expect(steps.map(({ place }) => place)).toEqual(
      expect.arrayContaining(
        ['ledger.enqueue', 'executor.open', 'workspace.create', 'ledger.begin', 'enclosure.execute', 'spool.close']
          .concat(['ledger.finish', 'documentHistory.append', 'ledger.entryWritten', 'workFolder.remove'])
          .concat(['executor.endLeftovers', 'workspace.recover', 'ledger.interrupt', 'ledger.claimEntry'])
          .map((call) => `before ${call}`),
      ),
    );
  });
});
