/** A run that breaks off by a failure of our own: what is known of its steps is in the record. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createApp } from '../../src/app.ts';
import type { RunEvent, RunResult } from '../../src/core/run.ts';
import { resolveSettings } from '../../src/core/settings.ts';
import { execute } from '../../src/engine/execute.ts';
import { requestFor } from '../helpers/requests.ts';

const DOCUMENT = `# Go

# Steps

${['One', 'Two', 'Three'].map((name) => `## ${name}\n\`\`\`sh\necho ${name}\n\`\`\`\n`).join('\n')}`;

/** Of a run whose face fails at an event. */
async function brokenAt(isThere: (event: RunEvent) => boolean): Promise<RunResult> {
  const folder = mkdtempSync(path.join(tmpdir(), 'runbook-broken-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true });
  });
  const document = path.join(folder, 'Go.md');
  writeFileSync(document, DOCUMENT);
  const values = new Map(
    Object.entries({ stateDir: path.join(folder, 'state'), executionDir: folder }).map(([name, text]) => [
      name,
      { text, label: name },
    ]),
  ) as Parameters<typeof resolveSettings>[0][number]['values'];
  const environment = new Map([['PATH', process.env['PATH'] ?? '']]);
  const app = await createApp(resolveSettings([{ origin: 'flag', values }]), { environment, cwd: folder, ci: false });
  try {
    const ports = await app.engine();
    const { runId } = await execute(ports, requestFor(document, 'ledger'), (event) => {
      if (isThere(event)) throw new TypeError('the face is broken');
    });
    const run = await ports.ledger.get(runId);
    if (run?.result == null) throw new Error('it has no end');
    return run.result;
  } finally {
    app.close();
  }
}

const shown = ({ steps }: RunResult): readonly (readonly [string, string, boolean])[] =>
  steps.map(({ name, outcome, startedAt }) => [name, outcome, startedAt !== null]);

test('in the middle of a step: those before it are as they ended, it has failed, those behind it are skipped', async () => {
  const result = await brokenAt((event) => event.type === 'step' && event.step === 1 && event.phase === 'started');
  expect(shown(result)).toEqual([
    ['One', 'succeeded', true],
    ['Two', 'failed', true],
    ['Three', 'skipped', false],
  ]);
  expect(result).toMatchObject({ outcome: 'failed', exitCode: 70, reason: expect.stringContaining('a bug') as string });
  expect(result.steps[1]?.reason).toBe(result.reason);
});

test('behind a step: it is as it ended', async () => {
  const result = await brokenAt((event) => event.type === 'step' && event.step === 1 && event.phase === 'finished');
  expect(shown(result)).toEqual([
    ['One', 'succeeded', true],
    ['Two', 'succeeded', true],
    ['Three', 'skipped', false],
  ]);
});
