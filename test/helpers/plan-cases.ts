/** What `plan` and `execute` are compared in: one request each, with what it needs. */
import { chmodSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { classic } from './cli.ts';
import type { Home } from './cli.ts';
import { AUTH, CONFIRMED, mint, STEPS, underWay } from './json-calls.ts';

export interface PlanCase {
  readonly name: string;
  /** Codes of all refusals in their order; none: it would run. */
  readonly refusals: readonly string[];
  readonly exit: number;
  /** @returns the words behind `plan` or `execute` */
  readonly prepare: (home: Home) => PlanCall | Promise<PlanCall>;
}

interface PlanCall {
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly after?: () => Promise<void>;
}

const task = (home: Home, document: string, ...args: readonly string[]): PlanCall => {
  home.write('Task.md', document);
  return { args: ['./Task.md', ...args] };
};
const limited = (limits: string, script = 'true'): string =>
  classic('Task', script).replace('# Script', `# Limits\n\`\`\`yaml\n${limits}\n\`\`\`\n\n# Script`);
const CLAIMS = { claims: 'roles: [sre]' };
const REAPER = { RUNBOOK_CONTAINMENT: 'reaper' };

export const PLAN_CASES: readonly PlanCase[] = [
  {
    name: 'a plain script',
    refusals: [],
    exit: 0,
    prepare: (home) => task(home, classic('Task', 'true')),
  },
  {
    name: 'a script with a variable, an input and a token',
    refusals: [],
    exit: 0,
    prepare: async (home) => {
      home.write('a.txt', 'a');
      const sections = { ...CLAIMS, env: 'HOST: which one', inputs: 'Input:\n- a.txt' };
      const token = await mint(home, '--role', 'sre');
      return { ...task(home, classic('Task', 'true', sections), '--env', 'HOST=a', '--token-file', token), env: AUTH };
    },
  },
  {
    name: 'steps that are confirmed beforehand',
    refusals: [],
    exit: 0,
    prepare: (home) => task(home, CONFIRMED, '--yes'),
  },
  {
    name: 'a rehearsal of what is not allowed',
    refusals: [],
    exit: 0,
    prepare: (home) => {
      mkdirSync(path.join(home.folder, 'stubs'));
      chmodSync(home.write('stubs/ssh', '#!/bin/sh\n'), 0o755);
      return task(home, classic('Task', 'true', CLAIMS), '--stubs', 'stubs');
    },
  },
  {
    name: 'no record at all',
    refusals: [],
    exit: 0,
    prepare: (home) => task(home, classic('Task', 'true'), '--history', 'none'),
  },
  {
    name: 'a state folder that is still to be made',
    refusals: [],
    exit: 0,
    prepare: (home) => task(home, classic('Task', 'true'), '--state-dir', 'deep/state'),
  },
  {
    name: 'stubs that are not there',
    refusals: ['usage'],
    exit: 64,
    prepare: (home) => task(home, classic('Task', 'true'), '--stubs', 'nothing'),
  },
  { name: 'no document', refusals: ['not-found'], exit: 66, prepare: () => ({ args: ['./Nothing.md'] }) },
  { name: 'no folder of runbooks', refusals: ['not-found'], exit: 66, prepare: () => ({ args: ['Nothing'] }) },
  {
    name: 'a document that is invalid, while runs are paused',
    refusals: ['runbook-invalid', 'busy'],
    exit: 65,
    prepare: async (home) => {
      await home.run(['pause', 'INC-7']);
      return task(home, '# Task\n');
    },
  },
  {
    name: 'a runbook that calls itself',
    refusals: ['recursion'],
    exit: 65,
    prepare: (home) => ({
      ...task(home, classic('Task', 'true')),
      env: { RUNBOOK_RECURSION_STACK: '["Task.md"]' },
    }),
  },
  {
    name: 'no token, and much else',
    refusals: ['unauthenticated', 'variable-denied', 'requirements-unmet', 'unavailable', 'io', 'busy'],
    exit: 77,
    prepare: async (home) => {
      await home.run(['pause', 'INC-7']);
      const document = limited('memory: 1GiB').replace(
        '# Limits',
        '# Required Claims\n```yaml\nroles: [sre]\n```\n\n# Limits',
      );
      const nowhere = ['--execution-dir', path.join(home.folder, 'nowhere')];
      const given = ['--env', 'LD_PRELOAD=x', '--env', 'MISSING', '--strict'];
      return { ...task(home, document, ...given, ...nowhere), env: REAPER };
    },
  },
  {
    name: 'an empty token',
    refusals: ['unauthenticated'],
    exit: 77,
    prepare: (home) => task(home, classic('Task', 'true'), '--token-file', home.write('token', '')),
  },
  {
    name: 'a token of somebody else',
    refusals: ['unauthenticated'],
    exit: 77,
    prepare: async (home) => ({
      ...task(home, classic('Task', 'true', CLAIMS), '--token-file', await mint(home, '--role', 'sre')),
      env: { RUNBOOK_JWT_SECRET: 'another-secret-of-more-than-32-bytes-of-text' },
    }),
  },
  {
    name: 'a token without the claim',
    refusals: ['forbidden'],
    exit: 77,
    prepare: async (home) => ({
      ...task(home, classic('Task', 'true', CLAIMS), '--token-file', await mint(home, '--role', 'dba')),
      env: AUTH,
    }),
  },
  {
    name: 'a key that cannot be read',
    refusals: ['settings', 'unauthenticated'],
    exit: 78,
    prepare: async (home) => ({
      ...task(home, classic('Task', 'true', CLAIMS), '--token-file', await mint(home)),
      env: { JWT_PUBLIC_KEY_FILE: path.join(home.folder, 'nothing.pem') },
    }),
  },
  {
    name: 'a step that is not there, of a runbook that is not ready',
    refusals: ['usage'],
    exit: 64,
    prepare: (home) => task(home, CONFIRMED, '--from', 'Three'),
  },
  {
    name: 'a variable that nobody may set',
    refusals: ['variable-denied'],
    exit: 64,
    prepare: (home) => task(home, classic('Task', 'true'), '--env', 'PYTHONPATH=x'),
  },
  {
    name: 'a secret on the command line',
    refusals: ['usage'],
    exit: 64,
    prepare: (home) => task(home, classic('Task', 'true'), '--env', 'DB_PASSWORD=correct-horse-battery'),
  },
  {
    name: 'a variable and an input that are missing',
    refusals: ['requirements-unmet'],
    exit: 78,
    prepare: (home) => task(home, classic('Task', 'true', { env: 'HOST: which one', inputs: 'Input:\n- a.txt' })),
  },
  {
    name: 'a link that leads out of the folder',
    refusals: ['requirements-unmet'],
    exit: 78,
    prepare: (home) => {
      symlinkSync('/etc/hostname', path.join(home.folder, 'a.txt'));
      return task(home, classic('Task', 'true', { inputs: 'Input:\n- a.txt' }));
    },
  },
  {
    name: 'a value of the wrong form',
    refusals: ['requirements-unmet'],
    exit: 78,
    prepare: (home) => task(home, classic('Task', 'true', { env: 'N:\n  type: integer' }), '--env', 'N=many'),
  },
  {
    name: 'a step that wants a confirmation',
    refusals: ['requirements-unmet'],
    exit: 78,
    prepare: (home) => task(home, CONFIRMED),
  },
  {
    name: 'a secret that was made for an earlier run',
    refusals: ['requirements-unmet'],
    exit: 78,
    prepare: async (home) => ({
      ...task(home, STEPS, '--from', 'Break', '--token-file', await mint(home, '--role', 'sre')),
      env: AUTH,
    }),
  },
  {
    name: 'an interpreter that is not there',
    refusals: ['unavailable'],
    exit: 69,
    prepare: (home) => ({ ...task(home, classic('Task', 'true')), env: { PATH: home.folder } }),
  },
  {
    name: 'a containment that is required and not there',
    refusals: ['unavailable'],
    exit: 69,
    prepare: (home) => ({
      ...task(home, classic('Task', 'true')),
      env: { RUNBOOK_CONTAINMENT: 'process-group', REQUIRE_CONTAINMENT: 'reaper' },
    }),
  },
  {
    name: 'a limit that cannot be held, under --strict',
    refusals: ['unavailable'],
    exit: 69,
    prepare: (home) => ({ ...task(home, limited('memory: 1GiB\nprocesses: 100'), '--strict'), env: REAPER }),
  },
  {
    name: 'a limit that cannot be held',
    refusals: [],
    exit: 0,
    prepare: (home) => ({ ...task(home, limited('memory: 1GiB')), env: REAPER }),
  },
  {
    name: 'a folder for work folders that is not there',
    refusals: ['io'],
    exit: 74,
    prepare: (home) => task(home, classic('Task', 'true'), '--execution-dir', path.join(home.folder, 'nowhere')),
  },
  {
    name: 'the same without a record',
    refusals: ['io', 'unauthenticated'],
    exit: 74,
    prepare: (home) => {
      const nowhere = ['--execution-dir', path.join(home.folder, 'nowhere')];
      return task(home, classic('Task', 'true', CLAIMS), '--history', 'none', ...nowhere);
    },
  },
  {
    name: 'a state folder that is a file',
    refusals: ['io', 'unauthenticated'],
    exit: 74,
    prepare: (home) => {
      const file = home.write('file', '');
      return task(home, classic('Task', 'true', CLAIMS), '--state-dir', path.join(file, 'state'));
    },
  },
  {
    name: 'a ledger that is damaged',
    refusals: ['unavailable'],
    exit: 69,
    prepare: (home) => {
      mkdirSync(home.stateDir, { recursive: true });
      writeFileSync(path.join(home.stateDir, 'ledger.sqlite'), 'x'.repeat(8192));
      return task(home, classic('Task', 'true'));
    },
  },
  {
    name: 'a key of fingerprints that is damaged',
    refusals: ['io'],
    exit: 74,
    prepare: async (home) => {
      const call = task(home, classic('Task', 'true', { env: 'A: a' }), '--env', 'A=a');
      await home.run(['execute', ...call.args]);
      rmSync(path.join(home.stateDir, 'fingerprint.key'));
      writeFileSync(path.join(home.stateDir, 'fingerprint.key'), 'short');
      return call;
    },
  },
  {
    name: 'runs that are paused',
    refusals: ['busy'],
    exit: 75,
    prepare: async (home) => {
      await home.run(['pause', 'INC-7']);
      return task(home, classic('Task', 'true'));
    },
  },
  {
    name: 'another run of the same',
    refusals: ['busy'],
    exit: 75,
    prepare: async (home) => ({ args: ['./Task.md', '--history', 'ledger'], after: await underWay(home) }),
  },
  {
    name: 'a record file in a folder that is not there',
    refusals: ['io'],
    exit: 74,
    prepare: (home) => task(home, classic('Task', 'true'), '--record', 'nowhere/record.json'),
  },
];
