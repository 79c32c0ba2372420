/** One situation of each kind that a command with `--json` can be in, with what it needs to get there. */
import { chmodSync, mkdirSync, truncateSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ERRORS } from '../../src/core/errors.ts';
import type { ErrorCode } from '../../src/core/errors.ts';
import { classic } from './cli.ts';
import type { Home } from './cli.ts';
import { alter, recorded, RECORD_SITUATIONS } from './json-record-situations.ts';
import { PLAN_SITUATIONS } from './json-plan-situations.ts';
import { REPORT_SITUATIONS } from './json-report-situations.ts';
import { RUN_SITUATIONS } from './json-run-situations.ts';
import { AUTH, CONFIRMED, execute, mint, orphan, SECRET, serving, STEPS, underWay } from './json-calls.ts';
import type { Call } from './json-calls.ts';
import { asObject } from './schemas.ts';
import type { SchemaName } from './schemas.ts';

export interface Situation {
  readonly name: string;
  readonly schema: SchemaName;
  readonly exit: number;
  /** Writes what the command needs. @returns its arguments, without `--json`, and its variables */
  readonly prepare: (home: Home) => Call | Promise<Call>;
  /** What has to be in the document, so that the situation is the one that is meant. */
  readonly shows?: readonly string[];
  /** Members that this document has although it need not. */
  readonly optional?: readonly string[];
}
/** A command that ends with an error of the table, with its own numbers. */
function failure(code: ErrorCode, name: string, prepare: Situation['prepare']): Situation {
  const { exit, status } = ERRORS[code];
  const shows = [`"code": "${code}"`, `"exitCode": ${exit}`, `"status": ${status}`];
  return { name, schema: 'error', exit, shows, prepare };
}

export const SITUATIONS: readonly Situation[] = [
  {
    name: 'a run that succeeds',
    schema: 'execute',
    exit: 0,
    prepare: (home) => execute(home, classic('Task', 'echo out; echo err >&2')),
  },
  {
    name: 'a script that fails with a code that is also one of ours',
    schema: 'execute',
    exit: 77,
    optional: ['reason'],
    prepare: (home) => execute(home, classic('Task', 'exit 77')),
  },
  {
    name: 'a script that a signal ends',
    schema: 'execute',
    exit: 137,
    optional: ['reason'],
    prepare: (home) => execute(home, classic('Task', 'kill -KILL $$')),
  },
  {
    name: 'a run that takes too long',
    schema: 'execute',
    exit: 124,
    optional: ['reason'],
    prepare: (home) => execute(home, classic('Task', 'sleep 60'), '--timeout', '1s'),
  },
  {
    name: 'a run that is canceled',
    schema: 'execute',
    exit: 143,
    optional: ['reason'],
    prepare: (home) => ({
      ...execute(home, classic('Task', 'touch "$HOME/begun"; exec sleep 300')),
      termAt: 'begun',
    }),
  },
  {
    name: 'a runbook of steps that fails in the middle',
    shows: ['"succeeded"', '"failed"', '"skipped"'],
    schema: 'execute',
    exit: 4,
    optional: ['reason'],
    prepare: async (home) => {
      const token = await mint(home, '--role', 'sre');
      return { ...execute(home, STEPS, '--token-file', token), env: AUTH };
    },
  },
  {
    name: 'a rehearsal from a step on, confirmed beforehand, whose folder is kept',
    shows: ['"rehearsal": true', '"confirmedBy": "yes"', '"workFolder": "/', '"reason": "before “Two”"'],
    schema: 'execute',
    exit: 0,
    optional: ['reason', 'confirmedBy'],
    prepare: (home) => {
      mkdirSync(path.join(home.folder, 'stubs'));
      chmodSync(home.write('stubs/ssh', '#!/bin/sh\n'), 0o755);
      const options = ['--stubs', 'stubs', '--from', '2', '--yes', '--keep-workdir', 'always'];
      return execute(home, CONFIRMED, ...options);
    },
  },
  {
    name: 'valid documents',
    schema: 'validate',
    exit: 0,
    prepare: (home) => {
      home.write('A.md', classic('A', 'true'));
      home.write('B.md', classic('B', 'true'));
      return { args: ['validate', 'A.md', 'B.md'] };
    },
  },
  {
    name: 'a valid, an invalid and a missing document',
    shows: ['"valid": true', '"valid": false', '"not-found"'],
    schema: 'validate',
    exit: 65,
    optional: ['edit'],
    prepare: (home) => {
      home.write('A.md', classic('A', 'true'));
      home.write('B.md', '# B\n\n# Script\n');
      return { args: ['validate', 'A.md', 'B.md', 'C.md'] };
    },
  },
  {
    name: 'a document that is repaired, and what is left of its problems',
    shows: ['"rule": "section-misspelt"', '"endColumn": 8', '"rule": "title-differs"', '"severity": "error"'],
    schema: 'validate',
    exit: 65,
    optional: ['edit', 'fixed'],
    prepare: (home) => {
      home.write('B.md', STEPS.replace('# Limits', '# Limts'));
      return { args: ['validate', 'B.md', '--fix', '--strict'] };
    },
  },
  {
    name: 'a new runbook',
    shows: ['"kind": "classic"', '"path": "RestartService.md"'],
    schema: 'new',
    exit: 0,
    prepare: () => ({ args: ['new', 'RestartService', '--env', 'HOST', '--claim', 'roles=sre'] }),
  },
  {
    name: 'a runbook that is proposed from a page',
    shows: ['"kind": "steps"', '"name": "DrainANode"', '"line": 4'],
    schema: 'new',
    exit: 0,
    prepare: (home) => {
      home.write('page.txt', '# Drain a node\n\n```bash\nkubectl drain <node>\n```\n');
      return { args: ['new', '--from', 'page.txt'] };
    },
  },
  { name: 'an empty folder', schema: 'list', exit: 0, prepare: () => ({ args: ['list', '--runbooks-dir', '.'] }) },
  {
    name: 'a folder of valid, invalid and unreadable documents',
    shows: ['"kind": "classic"', '"kind": "steps"', '"kind": null', '"digest": null'],
    schema: 'list',
    exit: 0,
    optional: ['owner', 'service', 'severity', 'reviewBy'],
    prepare: (home) => {
      home.write('A.md', classic('A', 'true'));
      home.write('B.md', '# B\n');
      truncateSync(home.write('Large.md', ''), 65 * 1024 ** 2);
      home.write('Task.md', STEPS);
      return { args: ['list', '--runbooks-dir', '.'] };
    },
  },
  {
    name: 'runbooks of which some have run',
    shows: ['"outcome": "failed"', '"state": "finished"', '"last": null', '"state": "started"'],
    schema: 'list',
    exit: 0,
    prepare: async (home) => {
      const after = await underWay(home);
      home.write('Fails.md', classic('Fails', 'exit 3'));
      home.write('Never.md', classic('Never', 'true'));
      await home.run(['execute', './Fails.md']);
      return { args: ['list', '--runbooks-dir', '.'], after };
    },
  },
  {
    name: 'a classic runbook',
    schema: 'show',
    exit: 0,
    prepare: (home) => {
      const env = 'HOST: which one\nDB_PASSWORD: of the database';
      home.write('A.md', classic('A', 'true', { env, inputs: 'Input:\n- a.txt' }));
      return { args: ['show', './A.md'] };
    },
  },
  {
    name: 'a runbook of steps',
    schema: 'show',
    exit: 0,
    optional: [
      'owner',
      'service',
      'severity',
      'reviewBy',
      'timeoutMs',
      'maxOutputBytes',
      'concurrency',
      'pattern',
      'default',
      'choices',
      'generate',
      'doneWhen',
      'rollback',
    ],
    prepare: (home) => {
      home.write('Task.md', STEPS);
      return { args: ['show', './Task.md'] };
    },
  },
  {
    name: 'an invalid runbook',
    schema: 'show',
    exit: 65,
    prepare: (home) => {
      home.write('B.md', '# B\n');
      return { args: ['show', './B.md'] };
    },
  },
  { name: 'no runs', schema: 'history', exit: 0, prepare: () => ({ args: ['history'] }) },
  {
    name: 'finished and refused runs',
    shows: ['"finished"', '"refused"', '"hmac"', '"value": "red"', '"anna"', '"forbidden"', '"spawn-failed"'],
    schema: 'history',
    exit: 0,
    optional: ['reason', 'value', 'hmac'],
    prepare: async (home) => {
      home.write('Task.md', STEPS);
      const token = await mint(home, '--role', 'sre');
      await home.run(['execute', './Task.md', '--token-file', token], { env: AUTH });
      await home.run(['execute', './Task.md']);
      await home.run(['execute', './Nothing.md']);
      const call = ['execute', './Task.md', '--execution-dir', home.write('file', '')];
      await home.run([...call, '--token-file', token], { env: AUTH });
      await home.run(['execute', './Task.md', '--token-file', await mint(home)], { env: AUTH });
      return { args: ['history'] };
    },
  },
  {
    name: 'runs that go on from one another',
    shows: ['"continues"', '"from": "Two"', '"only": "Two"'],
    schema: 'history',
    exit: 0,
    optional: ['reason', 'confirmedBy', 'continues', 'steps', 'from', 'only'],
    prepare: async (home) => {
      const { args } = execute(home, CONFIRMED.replace('true', 'false'), '--yes');
      for (const options of [[], ['--from', 'Two'], ['--only', 'Two']]) await home.run([...args, ...options]);
      return { args: ['history'] };
    },
  },
  {
    name: 'a run that is under way',
    shows: ['"started"', '"result": null'],
    schema: 'history',
    exit: 0,
    prepare: async (home) => {
      const after = await underWay(home);
      return { args: ['history'], after };
    },
  },
  {
    name: 'a run whose runner was killed',
    shows: ['"interrupted"', '"result": null', '"name": "Two"', '"number": 2', '"name": "One"'],
    schema: 'history',
    exit: 0,
    optional: ['interruption', 'steps', 'output', 'keepWorkFolder', 'reason'],
    prepare: async (home) => {
      await orphan(home);
      return { args: ['history'] };
    },
  },
  {
    name: 'one run',
    schema: 'history',
    exit: 0,
    optional: ['value', 'hmac'],
    prepare: async (home) => {
      const call = execute(home, classic('Task', 'echo out; echo err >&2', { env: 'HOST: which one' }));
      const { result } = await home.json([...call.args, '--env', 'HOST=db-1', '--incident', 'INC-7']);
      return { args: ['history', String(asObject(result)['runId'])] };
    },
  },
  ...RUN_SITUATIONS,
  ...REPORT_SITUATIONS,
  ...PLAN_SITUATIONS,
  ...RECORD_SITUATIONS,
  {
    name: 'runs that printed a text',
    shows: ['"stream": "stderr"', '"notSearched": 0'],
    schema: 'history',
    exit: 0,
    optional: ['search'],
    prepare: async (home) => {
      await home.run(execute(home, classic('Task', 'echo out; echo an error >&2')).args);
      return { args: ['history', '--grep', 'ERROR'] };
    },
  },
  { name: 'the settings', schema: 'config', exit: 0, prepare: () => ({ args: ['config'] }) },
  { name: 'what the machine can do', schema: 'doctor', exit: 0, prepare: () => ({ args: ['doctor'] }) },
  {
    name: 'a machine that cannot do enough',
    schema: 'doctor',
    exit: 69,
    prepare: () => ({ args: ['doctor'], env: { RUNBOOK_CONTAINMENT: 'process-group' } }),
  },
  {
    name: 'a deployment of Stage0 that needs a hand',
    schema: 'doctor',
    exit: 78,
    shows: ['"place": "compose.yaml:3"', '"place": null', '"ok": false'],
    prepare: (home) => {
      home.write('compose.yaml', 'services:\n  api:\n    image: stage0_runbook_api\n');
      return { args: ['doctor', '--stage0', 'compose.yaml'] };
    },
  },
  {
    name: 'settings of several places, with a secret',
    shows: ['"flag"', '"environment"', '"(secret)"'],
    schema: 'config',
    exit: 0,
    prepare: () => ({ args: ['config', '--state-dir', 'state'], env: { ...AUTH, RUNBOOK_TOKEN: SECRET } }),
  },
  {
    name: 'a token',
    schema: 'token-mint',
    exit: 0,
    prepare: () => ({ args: ['token', 'mint', '--subject', 'anna', '--role', 'sre'], env: AUTH }),
  },
  {
    name: 'a server that takes requests',
    schema: 'serve',
    exit: 0,
    shows: ['"ready":true', '"login":true', '"name":"work folder"', 'JWT_SECRET is not set'],
    prepare: (home) => {
      mkdirSync(path.join(home.folder, 'runbooks'));
      return serving({ ENABLE_LOGIN: 'true' });
    },
  },
  {
    name: 'a server that is not ready, as there is no folder',
    schema: 'serve',
    exit: 0,
    shows: ['"ready":false', '"runbooksDir":null', '"login":false'],
    prepare: () => serving({ ...AUTH, ADMIN_CLAIM: 'roles=admin' }),
  },
  failure('usage', 'a command that is not there', () => ({ args: ['exceute'] })),
  failure('variable-denied', 'a variable that nobody may set', (home) =>
    execute(home, classic('Task', 'true'), '--env', 'LD_PRELOAD=x'),
  ),
  failure('runbook-invalid', 'an invalid runbook that is to run', (home) => execute(home, '# Task\n')),
  failure('recursion', 'a runbook that calls itself', (home) => ({
    ...execute(home, classic('Task', 'true')),
    env: { RUNBOOK_RECURSION_STACK: '["Task.md"]' },
  })),
  failure('record-altered', 'a record that is to be taken out and does not hold', async (home) => {
    await recorded(home);
    alter(home);
    await delay(1100);
    return { args: ['history', '--prune', '--older-than', '1s', '--yes'] };
  }),
  failure('not-found', 'a runbook that is not there', () => ({ args: ['execute', './Nothing.md'] })),
  failure('not-found', 'a run that has ended', async (home) => {
    await home.run(execute(home, classic('Task', 'true')).args);
    return { args: ['cancel', 'last'] };
  }),
  failure('busy', 'runs that are paused', async (home) => {
    await home.run(['pause', 'INC-7']);
    return execute(home, classic('Task', 'true'));
  }),
  failure('unavailable', 'an interpreter that is not there', (home) => ({
    ...execute(home, classic('Task', 'true')),
    env: { PATH: home.folder },
  })),
  failure('io', 'a state folder that is a file', (home) =>
    execute(home, classic('Task', 'true'), '--state-dir', home.write('file', '')),
  ),
  failure('busy', 'another run of the same is under way', async (home) => {
    const after = await underWay(home);
    return { args: ['execute', './Task.md', '--history', 'ledger'], after };
  }),
  failure('unauthenticated', 'no token', (home) => execute(home, classic('Task', 'true', { claims: 'roles: [sre]' }))),
  failure('forbidden', 'a token without the claim', async (home) => {
    const document = classic('Task', 'true', { claims: 'roles: [sre]' });
    return { ...execute(home, document, '--token-file', await mint(home)), env: AUTH };
  }),
  failure('requirements-unmet', 'variables and inputs that are not there', (home) =>
    execute(home, classic('Task', 'true', { env: 'HOST: which one', inputs: 'Input:\n- a.txt' })),
  ),
  failure('settings', 'a setting that is not there', () => ({ args: ['list'], env: { RUNBOOK_TIMEUOT: '1m' } })),
];
