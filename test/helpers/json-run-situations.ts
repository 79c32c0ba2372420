/** Situations of the commands that look after runs: see json-situations.ts. */
import { letGo, startRun, waitFor } from './background.ts';
import { classic } from './cli.ts';
import type { Home } from './cli.ts';
import { underWay } from './json-calls.ts';
import type { Situation } from './json-situations.ts';

/** A run that is in the middle of its script, and whose owner can be made to answer nobody. */
async function stoppedRun(home: Home): Promise<{ readonly stop: () => void; readonly after: () => Promise<void> }> {
  const run = await startRun(home, classic('Slow', waitFor('work')), 'work');
  return {
    stop: () => process.kill(run.pid, 'SIGSTOP'),
    after: async () => {
      process.kill(run.pid, 'SIGCONT');
      letGo(home, 'work');
      await run.ended;
    },
  };
}

export const RUN_SITUATIONS: readonly Situation[] = [
  { name: 'nothing that runs', schema: 'ps', exit: 0, prepare: () => ({ args: ['ps'] }) },
  {
    name: 'a run that somebody wants to end, and no others',
    shows: ['"number": 1', '"reason": "wrong host"', '"by": "', '"reason": "INC-7"'],
    schema: 'ps',
    exit: 0,
    prepare: async (home) => {
      const { after, stop } = await stoppedRun(home);
      await home.run(['pause', 'INC-7']);
      stop();
      await home.run(['cancel', 'last', '--no-wait', '--reason', 'wrong host']);
      return { args: ['ps'], after };
    },
  },
  {
    name: 'a run that is ended',
    shows: ['"canceled"', '"waited": true', '"exitCode": 143'],
    schema: 'cancel',
    exit: 0,
    prepare: async (home) => ({ args: ['cancel', 'last', '--reason', 'no'], after: await underWay(home) }),
  },
  {
    name: 'a run whose end is not waited for',
    shows: ['"started"', '"waited": false', '"outcome": null'],
    schema: 'cancel',
    exit: 0,
    prepare: async (home) => {
      const { after, stop } = await stoppedRun(home);
      stop();
      return { args: ['cancel', 'last', '--no-wait'], after };
    },
  },
  {
    name: 'runs that are paused',
    shows: ['"before": null', '"reason": "INC-7: no runs"', '"underWay": 0'],
    schema: 'pause',
    exit: 0,
    prepare: () => ({ args: ['pause', 'INC-7:', 'no', 'runs'] }),
  },
  {
    name: 'runs that were paused already',
    shows: ['"reason": "first"', '"reason": "second"'],
    schema: 'pause',
    exit: 0,
    prepare: async (home) => {
      await home.run(['pause', 'first']);
      return { args: ['pause', 'second'] };
    },
  },
  {
    name: 'runs that may begin again',
    shows: ['"resumed": true', '"reason": "first"'],
    schema: 'resume',
    exit: 0,
    prepare: async (home) => {
      await home.run(['pause', 'first']);
      return { args: ['resume'] };
    },
  },
  { name: 'runs that were not paused', schema: 'resume', exit: 0, prepare: () => ({ args: ['resume'] }) },
];
