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

describe.skipIf(!requires('unshare', '-rm', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt'))(
  'a full disk (needs unshare of util-linux)',
  () => {
    /** The command, with a disk of its own in `disk/` that nobody else sees and that is gone with it. */
    const onDisk = async (
      size: string,
      command: string,
      env: Readonly<Record<string, string>> = {},
    ): Promise<CliResult> => {
      mkdirSync(path.join(home.folder, 'disk'));
      const line = `mount -t tmpfs -o size=${size} tmpfs disk && ${command.replaceAll("'", `'\\''`)}`;
      return await inShell(home, `unshare -rm bash -c '${line}'`, env);
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
        '6m',
        'runbook execute -q ./Flood.md --state-dir disk/state | wc -c; echo "${PIPESTATUS[0]}"; df -B1 --output=avail disk | tail -n 1; runbook history --state-dir disk/state --json > history.json; for run in disk/state/output/*; do cp "$run" .; runbook history --state-dir disk/state "${run##*/}" | tail -n 1; done',
      );
      const [bytes, exitCode, free, shown] = stdout.split('\n');
      expect([bytes, exitCode]).toEqual([String(8 * MIB), '7']);
      // Room for the end of this run, which took a part of it, and of others.
      expect(Number(free)).toBeGreaterThan(0.75 * MIB);
      const history = readFileSync(path.join(home.folder, 'history.json'), 'utf8');
      const [run] = (JSON.parse(history) as { runs: Recorded[] }).runs;
      if (run === undefined) throw new Error('there is no run');
      const { output } = run.result;
      expect(run.result.outcome).toBe('failed');
      expect(stderr).toMatch(/warning: The output .* cannot be written \(ENOSPC\)/);
      expect(stderr).toContain(`Of ${8 * MIB} bytes of output ${output.dropped} are not in the record.`);
      expect(output).toMatchObject({ bytes: 8 * MIB, digest: sha256(Buffer.alloc(8 * MIB)) });
      // Not the cap: who asks later can tell.
      expect((output as { readonly lost?: string }).lost).toMatch(/cannot be written \(ENOSPC\)/);
      expect(shown).toContain(`… ${output.dropped} bytes were not kept …`);

      const state = path.join(home.folder, 'copy/output');
      mkdirSync(state, { recursive: true });
      await inShell(home, `mv ${run.runId} copy/output/`);
      expect(statSync(path.join(state, run.runId)).size).toBeGreaterThan(MIB);
      const { chunks } = await keptOf(createSpool(path.dirname(state)), run.runId);
      expect(chunks.reduce((sum, chunk) => sum + chunk.bytes.length, 0)).toBe(8 * MIB - output.dropped);
    });

    it('of the records keeps its last MiB while a tail on disk grows', async () => {
      // Of 32 MiB the head takes 20, and the tail would take all but the last half MiB.
      const printed = 33_000_000;
      home.write('Flood.md', flood(`head -c ${printed} /dev/zero; sleep 0.5; df -B1 --output=avail "$DISK"`, '40MiB'));
      const { stdout } = await onDisk(
        '32m',
        'RUNBOOK_MAX_OUTPUT=1GiB runbook execute -q ./Flood.md --pass-env DISK --state-dir disk/state | tail -n 1; runbook history --state-dir disk/state --json',
        { DISK: path.join(home.folder, 'disk') },
      );
      const [free, ...json] = stdout.split('\n');
      const [run] = (JSON.parse(json.join('\n')) as { runs: Recorded[] }).runs;
      expect(Number(free)).toBeGreaterThan(MIB);
      expect(run?.result.outcome).toBe('succeeded');
      expect(run?.result.output.dropped).toBeGreaterThan(0);
    });
  },
);
