/** Situations of `plan`, which starts nothing: see json-situations.ts. */
import { chmodSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { classic } from './cli.ts';
import type { Home } from './cli.ts';
import { AUTH, CONFIRMED, execute, mint, STEPS } from './json-calls.ts';
import type { Call } from './json-calls.ts';
import type { Situation } from './json-situations.ts';

/** What `execute` would do with the same words. */
const plan = (home: Home, document: string, ...args: readonly string[]): Call => {
  const [, ...words] = execute(home, document, ...args).args;
  return { args: ['plan', ...words] };
};

export const PLAN_SITUATIONS: readonly Situation[] = [
  {
    name: 'a run that would begin',
    schema: 'plan',
    exit: 0,
    shows: [
      '"wouldRun": true',
      '"value": "db-1"',
      '"answer": "met"',
      '"generated"',
      '"source": "step"',
      '"from": "runbook"',
    ],
    prepare: async (home) => {
      const token = await mint(home, '--role', 'sre');
      return { ...plan(home, STEPS, '--token-file', token), env: AUTH };
    },
  },
  {
    name: 'a run that several things stand in the way of',
    schema: 'plan',
    exit: 77,
    shows: ['"unauthenticated"', '"requirements-unmet"', '"busy"', '"no token"', '"missing"'],
    optional: ['about'],
    prepare: async (home) => {
      await home.run(['pause', 'INC-7']);
      const sections = { claims: 'roles: [sre]', env: 'HOST: which one', inputs: 'Input:\n- a.txt' };
      return plan(home, classic('Task', 'true', sections));
    },
  },
  {
    name: 'a token without the claim',
    schema: 'plan',
    exit: 77,
    shows: ['"lacking"', '"forbidden"', '"actual": ['],
    prepare: async (home) => {
      const document = classic('Task', 'true', { claims: 'roles: [sre]' });
      return { ...plan(home, document, '--token-file', await mint(home, '--role', 'dba')), env: AUTH };
    },
  },
  {
    name: 'a document that is no runbook',
    schema: 'plan',
    exit: 65,
    shows: ['"claims": null', '"displayPath": "Task.md"'],
    prepare: (home) => plan(home, '# Task\n'),
  },
  {
    name: 'a document that is not there',
    schema: 'plan',
    exit: 66,
    shows: ['"document": null'],
    prepare: () => ({ args: ['plan', './Nothing.md'] }),
  },
  {
    name: 'a rehearsal of the rest of an earlier run, by another name',
    schema: 'plan',
    exit: 0,
    shows: ['"rehearsal": true', '"confirmed": true', '"not asked for"', '"kind": "from"'],
    prepare: (home) => {
      mkdirSync(path.join(home.folder, 'stubs'));
      chmodSync(home.write('stubs/ssh', '#!/bin/sh\n'), 0o755);
      const { args } = execute(home, CONFIRMED, '--stubs', 'stubs', '--from', '2', '--yes', '--dry-run');
      return { args };
    },
  },
  {
    name: 'a run that goes on from another',
    schema: 'plan',
    exit: 0,
    shows: ['"continues": {', '"runId": "'],
    prepare: async (home) => {
      await home.run(execute(home, CONFIRMED.replace('true', 'false'), '--yes').args);
      return plan(home, CONFIRMED, '--yes', '--from', 'Two');
    },
  },
];
