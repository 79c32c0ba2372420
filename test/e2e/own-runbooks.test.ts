/** The project's own procedures, on small clones that look like this project to them. */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { createRepository, git } from '../helpers/repository.ts';
import { requires } from '../helpers/requires.ts';
import { copySamples } from '../helpers/samples.ts';
import type { Samples } from '../helpers/samples.ts';

const CHANGELOG = '# Changelog\n\n## [1.2.0] - 2026-11-20\n\n### Added\n\n- A thing.\n\n## [1.1.0]\n\n- Older.\n';

interface Clone {
  readonly name?: string;
  readonly test?: string;
  readonly changelog?: string;
}

function createClone(samples: Samples, { name = 'runbook', test: script = 'true', changelog = CHANGELOG }: Clone = {}) {
  const scripts = { build: 'mkdir -p dist && date > dist/main.cjs', test: script };
  const clone = createRepository(path.join(samples.folder, 'clone'), {
    'package.json': JSON.stringify({ name, version: '1.2.0', scripts, files: ['dist'] }),
    '.gitignore': 'node_modules\ndist\n',
    'CHANGELOG.md': changelog,
  });
  mkdirSync(path.join(clone, 'node_modules'));
  return clone;
}

const hasTools = requires('git') && requires('npm', '--version');

describe.skipIf(!hasTools)('Check (needs git and npm)', () => {
  const check = async (options: Clone) => {
    const samples = copySamples('runbooks');
    const clone = createClone(samples, options);
    return { clone, run: await samples.execute('Check', ['--env', `REPOSITORY=${clone}`]) };
  };

  test('runs the tests of the clone, without the variables of the run', async () => {
    const { clone, run } = await check({ test: 'env | grep -c ^RUNBOOK_; echo 7 passed, 0 failed' });
    expect(run).toMatchObject({ exitCode: 0, record: { result: { outcome: 'succeeded' } } });
    expect(run.kept.stdout).toContain(`commit ${git(clone, 'rev-parse', 'HEAD').trim()}, 0 files changed since\n`);
    expect(run.kept.stdout).toMatch(/\n0\n7 passed, 0 failed\n$/);
  });

  test('ends with the exit code of the tests', async () => {
    const { run } = await check({ test: 'echo 6 passed, 1 failed; exit 3' });
    expect(run).toMatchObject({ exitCode: 3, record: { result: { outcome: 'failed', exitCode: 3 } } });
    expect(run.kept.stdout).toContain('6 passed, 1 failed\n');
  });

  test('refuses another project', async () => {
    const { run } = await check({ name: 'other', test: 'touch ran' });
    expect(run.exitCode).toBe(2);
    expect(run.kept.stderr).toContain('is not a clone of this project');
  });
});

describe.skipIf(!hasTools)('Release (needs git and npm)', () => {
  const asMaintainer = async (samples: Samples): Promise<readonly string[]> =>
    await samples.token('--role', 'maintainer');
  const release = async (samples: Samples, clone: string) => {
    const options = ['--env', `REPOSITORY=${clone}`, '--env', 'VERSION=1.2.0', '--yes'];
    return await samples.execute('Release', options.concat(await asMaintainer(samples)));
  };

  test('tags the commit, once', async () => {
    const samples = copySamples('runbooks');
    const clone = createClone(samples);
    const run = await release(samples, clone);
    expect(run).toMatchObject({ exitCode: 0, record: { result: { outcome: 'succeeded' } } });
    expect(run.stdout).toContain('- A thing.\n');
    expect(run.stdout).not.toContain('- Older.');
    expect(run.stderr).toMatch(/main\.cjs/);
    expect(git(clone, 'cat-file', '-t', 'v1.2.0')).toBe('tag\n');
    expect(git(clone, 'rev-parse', 'v1.2.0^{commit}')).toBe(git(clone, 'rev-parse', 'HEAD'));

    const again = await release(samples, clone);
    expect(again.exitCode).toBe(2);
    expect(again.kept.stderr).toContain('the tag v1.2.0 is already there');
  });

  test('does nothing that nobody has confirmed', async () => {
    const samples = copySamples('runbooks');
    const clone = createClone(samples);
    const options = ['--env', `REPOSITORY=${clone}`, '--env', 'VERSION=1.2.0'];
    const run = await samples.execute('Release', [...options, ...(await asMaintainer(samples))]);
    expect(run).toMatchObject({ exitCode: 78, stdout: '', record: { state: 'refused' } });
    expect(await samples.execute('Release', [...options, '--yes'])).toMatchObject({ exitCode: 77 });
    expect(git(clone, 'tag')).toBe('');
  });

  test.each<[why: string, changelog: string]>([
    ['Unreleased is still there', CHANGELOG.replace('## [1.2.0]', '## [Unreleased]\n\n- New.\n\n## [1.2.0]')],
    ['Unreleased is still there', CHANGELOG.replace('## [1.2.0]', '## Unreleased\n\n## [1.2.0]')],
    ['no text for 1.2.0', CHANGELOG.replace('[1.2.0]', '[1.3.0]')],
    ['no text for 1.2.0', CHANGELOG.replace('- A thing.', '')],
  ])('stops when the changelog has %s', async (why, changelog) => {
    const samples = copySamples('runbooks');
    const clone = createClone(samples, { changelog });
    const run = await release(samples, clone);
    expect(run.exitCode).toBe(2);
    expect(run.kept.stderr).toContain(why);
    expect(run.record.result?.steps.map((step) => step.outcome)).toEqual(['succeeded', 'failed', 'skipped', 'skipped']);
    expect(git(clone, 'tag')).toBe('');
  });

  test('stops when something is not committed', async () => {
    const samples = copySamples('runbooks');
    const clone = createClone(samples);
    writeFileSync(path.join(clone, 'new.ts'), '');
    const run = await release(samples, clone);
    expect(run.exitCode).toBe(2);
    expect(run.kept.stderr).toContain('not committed');
  });

  test.each(['1.2', 'v1.2.0', '1.2.0; id'])('is refused with the version %s', async (version) => {
    const samples = copySamples('runbooks');
    const options = ['--env', `REPOSITORY=${samples.folder}`, '--env', `VERSION=${version}`, '--yes'];
    const run = await samples.execute('Release', [...options, ...(await asMaintainer(samples))]);
    expect(run).toMatchObject({ exitCode: 78, stdout: '' });
  });
});
