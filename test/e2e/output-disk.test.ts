/** Disks that are full: behind `>` the run ends and says so; under the records it goes on as if nothing were. */
import { mkdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { createSpool } from '../../src/adapters/output/spool.ts';
import { createHome } from '../helpers/cli.ts';
import type { CliResult, Home } from '../helpers/cli.ts';
import { flood, MIB, newestRun, sha256 } from '../helpers/floods.ts';
import type { Recorded } from '../helpers/floods.ts';
import { keptOf } from '../helpers/kept.ts';
import { requires } from '../helpers/requires.ts';
import { inShell } from '../helpers/shell.ts';

let home: Home;
beforeEach(() => {
  home = createHome();
});

describe.skipIf(!requires('unshare', '-m', 'true'))('a full disk (needs unshare and root)', () => {
  /** The command, with a disk of its own in `disk/` that nobody else sees and that is gone with it. */
  const onDisk = async (size: string, command: string): Promise<CliResult> => {
    mkdirSync(path.join(home.folder, 'disk'));
    const line = `mount -t tmpfs -o size=${size} tmpfs disk && ${command.replaceAll("'", `'\\''`)}`;
    return await inShell(home, `unshare -m bash -c '${line}'`);
  };

  it.each([
    ['much', 8 * MIB],
    ['ten bytes', MIB + 10],
  ])('behind > with %s too many ends the run, says why in one sentence, and is on record', async (_name, bytes) => {
    home.write('Flood.md', flood(`head -c ${bytes} /dev/zero`));
    const { stdout, stderr } = await onDisk(
      '1m',
      'runbook execute -q ./Flood.md > disk/out; echo $?; wc -c < disk/out',
    );
    expect(stdout.split(/\s+/)).toEqual(['141', String(MIB)]);
    expect(stderr.match(/^runbook: .*$/gm)).toEqual([
      expect.stringMatching(/^runbook: canceled: The output could not be written: ENOSPC/),
    ]);
    const run = await newestRun(home);
    expect(run.result).toMatchObject({ outcome: 'canceled', reason: expect.stringContaining('ENOSPC') as string });
    expect((await keptOf(createSpool(home.stateDir), run.runId)).complete).toBe(true);
  });

  it('of the records drops output and says how much; the script, its output and its exit code are as they were', async () => {
    home.write('Flood.md', flood(`head -c ${8 * MIB} /dev/zero; exit 7`));
    const { stdout, stderr } = await onDisk(
      '3m',
      'runbook execute -q ./Flood.md --state-dir disk/state | wc -c; echo "${PIPESTATUS[0]}"; runbook history --state-dir disk/state --json > history.json; for run in disk/state/output/*; do cp "$run" .; runbook history --state-dir disk/state "${run##*/}" | tail -n 1; done',
    );
    const [bytes, exitCode, shown] = stdout.split('\n');
    expect([bytes, exitCode]).toEqual([String(8 * MIB), '7']);
    const history = readFileSync(path.join(home.folder, 'history.json'), 'utf8');
    const [run] = (JSON.parse(history) as { runs: Recorded[] }).runs;
    if (run === undefined) throw new Error('there is no run');
    const { output } = run.result;
    expect(run.result.outcome).toBe('failed');
    expect(stderr).toMatch(/warning: The output .* cannot be written \(ENOSPC\)/);
    expect(stderr).toContain(`Of ${8 * MIB} bytes of output ${output.dropped} are not in the record.`);
    expect(output).toMatchObject({ bytes: 8 * MIB, digest: sha256(Buffer.alloc(8 * MIB)) });
    expect(shown).toContain(`… ${output.dropped} bytes were not kept …`);

    const state = path.join(home.folder, 'copy/output');
    mkdirSync(state, { recursive: true });
    await inShell(home, `mv ${run.runId} copy/output/`);
    expect(statSync(path.join(state, run.runId)).size).toBeGreaterThan(MIB);
    const { chunks } = await keptOf(createSpool(path.dirname(state)), run.runId);
    expect(chunks.reduce((sum, chunk) => sum + chunk.bytes.length, 0)).toBe(8 * MIB - output.dropped);
  });
});
