import { appendFileSync, chmodSync, mkdirSync, readdirSync, readFileSync, utimesSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { BIN, createHome, REPOSITORY } from '../helpers/cli.ts';
import { requires } from '../helpers/requires.ts';
import { copySamples } from '../helpers/samples.ts';
import type { Samples } from '../helpers/samples.ts';
import { EC, pem, token } from '../helpers/tokens.ts';

interface Validation {
  readonly valid: boolean;
  readonly documents: readonly { readonly path: string; readonly problems: readonly unknown[] }[];
}

const documentsOf = (folder: string): readonly string[] =>
  readdirSync(path.join(REPOSITORY, folder)).filter((name) => name.endsWith('.md'));

describe('the documents', () => {
  test.each(['samples/runbooks', 'samples/cookbook', 'runbooks'])(
    'of %s have neither errors nor warnings',
    async (folder) => {
      const { valid, documents }: Validation = JSON.parse(
        (await createHome().run(['validate', '--json', path.join(REPOSITORY, folder)])).stdout,
      );
      expect(valid).toBe(true);
      expect(documents.map((document) => path.basename(document.path))).toEqual(documentsOf(folder));
      expect(documents.flatMap((document) => document.problems)).toEqual([]);
    },
  );

  test('are all in the table of the samples, each with its command', () => {
    const readme = readFileSync(path.join(REPOSITORY, 'samples/README.md'), 'utf8');
    for (const file of documentsOf('samples/runbooks')) {
      const name = file.replace(/\.md$/, '');
      expect(readme).toContain(`| [${name}](runbooks/${file}) |`);
      expect(readme).toMatch(new RegExp(`\`runbook execute ${name}[ \`]`));
    }
    for (const file of documentsOf('samples/cookbook'))
      expect(readme).toContain(`| [${file.replace(/\.md$/, '')}](cookbook/${file}) |`);
  });
});

describe.skipIf(!requires('zsh'))('SimpleRunbook (needs zsh)', () => {
  test('says hello, and the record tells who asked', async () => {
    const samples = copySamples('samples/runbooks');
    const run = await samples.execute('SimpleRunbook', [
      '--env',
      'GREETING=good morning',
      ...(await samples.token('--role', 'api')),
    ]);
    expect(run).toMatchObject({ exitCode: 0 });
    expect(run.stdout).toMatch(/^good morning from zsh \d.*\n/);
    expect(run.stdout).toContain(`\nrun ${run.record.runId}\n`);
    expect(run.kept.stdout).toBe(run.stdout);
    expect(run.record).toMatchObject({
      state: 'finished',
      source: 'cli',
      who: { subject: 'anna', roles: ['api'], selfMade: true },
      callChain: [],
      variables: [{ name: 'GREETING', origin: 'given' }],
      result: { outcome: 'succeeded', exitCode: 0 },
    });
    // The short form declares no type, so the value is nowhere in the record.
    expect(JSON.stringify(run.record)).not.toContain('good morning');
  });
});

describe('SimpleRunbook is refused', () => {
  const GREETING = ['--env', 'GREETING=hello'];

  test('without a token', async () => {
    const run = await copySamples('samples/runbooks').execute('SimpleRunbook', GREETING);
    expect(run).toMatchObject({ exitCode: 77, stdout: '' });
    expect(run.stderr).toContain('roles = sre or api');
    expect(run.record).toMatchObject({ state: 'refused', result: null, refusal: { code: 'unauthenticated' } });
  });

  test('with a token of another role', async () => {
    const samples = copySamples('samples/runbooks');
    const run = await samples.execute('SimpleRunbook', [...GREETING, ...(await samples.token('--role', 'guest'))]);
    expect(run).toMatchObject({ exitCode: 77, stdout: '' });
    expect(run.record).toMatchObject({ state: 'refused', who: { subject: 'anna' }, refusal: { code: 'forbidden' } });
  });

  test('without its variable', async () => {
    const samples = copySamples('samples/runbooks');
    const run = await samples.execute('SimpleRunbook', await samples.token('--role', 'sre'));
    expect(run).toMatchObject({ exitCode: 78, stdout: '' });
    expect(run.stderr).toContain('GREETING');
    expect(run.record).toMatchObject({ state: 'refused', refusal: { code: 'requirements-unmet' } });
  });
});

describe('CreatePackage', () => {
  const checksumOf = async (samples: Samples): Promise<string> => {
    const run = await samples.execute('CreatePackage', [
      '--env',
      'PACKAGE=tool',
      ...(await samples.token('--role', 'developer')),
    ]);
    expect(run.exitCode).toBe(0);
    expect(run.stdout).toContain('tool-1.2.0/bin/start\n');
    expect(run.record).toMatchObject({ result: { outcome: 'succeeded' } });
    expect(run.kept.stdout).toBe(run.stdout);
    return /^([0-9a-f]{64}) {2}tool-1\.2\.0\.tar$/m.exec(run.stdout)?.[1] ?? 'no checksum';
  };

  test('has the same checksum for the same content only', async () => {
    const samples = copySamples('samples/runbooks');
    const config = path.join(samples.folder, 'runbooks/CreatePackage/app.conf');
    const first = await checksumOf(samples);
    expect(first).toMatch(/^[0-9a-f]{64}$/);
    utimesSync(config, 1, 1);
    chmodSync(config, 0o600);
    expect(await checksumOf(samples)).toBe(first);
    appendFileSync(config, 'workers = 3\n');
    expect(await checksumOf(samples)).not.toBe(first);
  });
});

describe('LongRunning', () => {
  test('counts its cycles', async () => {
    const run = await copySamples('samples/runbooks').execute('LongRunning', [
      '--env',
      'CYCLES=3',
      '--env',
      'PAUSE=0.01',
    ]);
    expect(run).toMatchObject({ exitCode: 0, stdout: 'cycle 1 of 3\ncycle 2 of 3\ncycle 3 of 3\ndone\n' });
    expect(run.kept.stdout).toBe(run.stdout);
    expect(run.record).toMatchObject({
      who: { subject: null },
      variables: [
        { name: 'CYCLES', origin: 'given', value: '3' },
        { name: 'PAUSE', origin: 'given', value: '0.01' },
      ],
    });
  });

  test('is ended at its time limit, and what it said until then is kept', async () => {
    const run = await copySamples('samples/runbooks').execute('LongRunning', [
      '--env',
      'CYCLES=99999',
      '--env',
      'PAUSE=0.1',
      '--timeout',
      '2s',
    ]);
    expect(run.exitCode).toBe(124);
    expect(run.kept.stdout).toMatch(/^cycle 1 of 99999\n/);
    expect(run.kept.stdout).not.toContain('done');
    expect(run.record).toMatchObject({ state: 'finished', result: { outcome: 'timed-out', survivors: [] } });
  });

  test.each(['0', '-1', 'many'])('is refused with CYCLES=%s', async (cycles) => {
    const run = await copySamples('samples/runbooks').execute('LongRunning', ['--env', `CYCLES=${cycles}`]);
    expect(run).toMatchObject({ exitCode: 78, stdout: '' });
    expect(run.record).toMatchObject({ refusal: { code: 'requirements-unmet' } });
  });
});

describe('ParentRunbook', () => {
  /** The child verifies the token as well, with a public key: no script gets to see a shared secret. */
  function asSre(samples: Samples): { readonly options: readonly string[]; readonly env: Record<string, string> } {
    const now = Math.floor(Date.now() / 1000);
    const file = samples.write('token', token('ES256', EC.privateKey, { roles: ['sre'], iat: now, exp: now + 600 }));
    const bin = path.join(samples.folder, 'bin');
    mkdirSync(bin);
    chmodSync(samples.write('bin/runbook', `#!/bin/sh\nexec '${process.execPath}' '${BIN}' "$@"\n`), 0o755);
    return {
      options: ['--token-file', file],
      env: {
        RUNBOOK_JWT_SECRET: '',
        RUNBOOK_JWT_PUBLIC_KEY_FILE: samples.write('key.pem', pem(EC.publicKey)),
        PATH: `${bin}:${process.env['PATH'] ?? '/usr/bin:/bin'}`,
      },
    };
  }

  test('calls its child once a folder, and each call has its record', async () => {
    const samples = copySamples('samples/runbooks');
    const { options, env } = asSre(samples);
    const run = await samples.execute('ParentRunbook', ['--env', `FOLDERS=/ ${samples.folder}`, ...options], env);
    expect(run).toMatchObject({ exitCode: 0 });
    expect(run.stdout).toMatch(/^\/: \d+ MiB free, 1 MiB needed\n\/.+: \d+ MiB free, 1 MiB needed\n2 checked\n$/);

    const [second, first, parent, ...others] = await samples.runs();
    expect(others).toEqual([]);
    expect(parent).toMatchObject({ runbook: { name: 'ParentRunbook' }, callChain: [] });
    for (const child of [first, second]) {
      expect(child).toMatchObject({
        runbook: { name: 'ChildRunbook' },
        callChain: ['ParentRunbook.md'],
        correlationId: parent?.correlationId,
        who: { subject: 'alice', roles: ['sre'] },
        result: { outcome: 'succeeded' },
      });
    }
    const { kept } = await samples.record(first?.runId ?? '');
    expect(kept.stdout).toMatch(/^\/: \d+ MiB free, 1 MiB needed\n$/);
  });

  test('goes on after a child that fails, and ends with its exit code', async () => {
    const samples = copySamples('samples/runbooks');
    const { options, env } = asSre(samples);
    const run = await samples.execute('ParentRunbook', ['--env', 'MIN_FREE_MIB=999999999999', ...options], env);
    expect(run.exitCode).toBe(3);
    expect(run.stdout).toMatch(/\n1 checked\n$/);
    const [child] = await samples.runs();
    expect(child).toMatchObject({ callChain: ['ParentRunbook.md'], result: { outcome: 'failed', exitCode: 3 } });
  });

  test('cannot be called by its own child', async () => {
    const samples = copySamples('samples/runbooks');
    const { options, env } = asSre(samples);
    const run = await samples.execute('ParentRunbook', options, {
      ...env,
      RUNBOOK_RECURSION_STACK: '["ParentRunbook.md","ChildRunbook.md"]',
    });
    expect(run.exitCode).toBe(65);
    expect(run.record).toMatchObject({ state: 'refused', refusal: { code: 'recursion' } });
  });
});

describe('ChildRunbook', () => {
  test('is useful alone', async () => {
    const samples = copySamples('samples/runbooks');
    const sre = await samples.token('--role', 'sre');
    const run = await samples.execute('ChildRunbook', ['--env', `FOLDER=${samples.folder}`, ...sre]);
    expect(run).toMatchObject({ exitCode: 0 });
    expect(run.stdout).toContain(`${samples.folder}: `);
    expect(run.record).toMatchObject({ callChain: [], result: { outcome: 'succeeded' } });
  });
});

describe('Template', () => {
  test('runs as it is', async () => {
    const samples = copySamples('samples/runbooks');
    const run = await samples.execute('Template', ['--yes', ...(await samples.token('--role', 'sre'))]);
    expect(run).toMatchObject({
      exitCode: 0,
      stdout: 'looked at example\nexample-as-it-was, then changed (look)\n',
    });
    expect(run.record.result?.steps.map((step) => [step.name, step.outcome])).toEqual([
      ['Look before touching', 'succeeded'],
      ['Change one thing', 'succeeded'],
      ['Tell somebody', 'succeeded'],
    ]);
    const secret = run.record.variables.find((variable) => variable.name === 'SESSION_KEY');
    expect(secret).toMatchObject({ origin: 'generated' });
    expect(secret).not.toHaveProperty('value');
  });

  test('changes nothing when nobody can confirm', async () => {
    const samples = copySamples('samples/runbooks');
    const run = await samples.execute('Template', await samples.token('--role', 'sre'));
    expect(run).toMatchObject({ exitCode: 78, stdout: '' });
    expect(run.stderr).toContain('Change one thing');
  });

  test('is open to the second alternative of its claims', async () => {
    const samples = copySamples('samples/runbooks');
    const pipeline = ['--claim', 'repository=acme/ops', '--claim', 'environment=production'];
    expect(await samples.execute('Template', ['--yes', ...(await samples.token(...pipeline))])).toMatchObject({
      exitCode: 0,
    });
    expect(
      await samples.execute('Template', ['--yes', ...(await samples.token(...pipeline.slice(0, 2)))]),
    ).toMatchObject({ exitCode: 77 });
  });
});
