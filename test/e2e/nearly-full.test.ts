/** Disks that are nearly full, before a run and in the middle of one: what has begun is told, and nothing begins that cannot be. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { examine, NOTHING_WRONG } from '../helpers/oracle.ts';
import { times } from '../helpers/property.ts';
import { requires } from '../helpers/requires.ts';
import { createScene } from '../helpers/scene.ts';
import type { Disturbed } from '../helpers/scene.ts';
import { violations } from '../helpers/schemas.ts';
import { inShell } from '../helpers/shell.ts';

const MIB = 1024 ** 2;
const PAGE = 4096;

/** Fills the disk up to so many bytes. */
const FILL = 'head -c $(( $(df -B1 --output=avail "$DISK" | tail -n 1) - LEFT )) /dev/zero > "$DISK/fill"';
/** Takes the disk while the script runs, then prints what the document would show. */
const TAKES_THE_DISK = `[ -z "$LEFT" ] || ${FILL}\nhead -c 14000 /dev/zero | tr '\\0' x`;

interface Line {
  readonly left: number;
  readonly exitCode: number;
  readonly stderr: string;
}

/**
 * One run after the other on a disk of 16 MiB that only these processes see. What stands in \`wanted\` is to be left of it,
 * before or during the run; -1: nothing is filled.
 * Where a run says that it waits for the ledger there is room again.
 */
async function onDisk(
  scene: Disturbed,
  options: string,
  when: 'before' | 'during',
  wanted: readonly number[],
): Promise<readonly Line[]> {
  const script = `
mount -t tmpfs -o size=16m tmpfs "$DISK" && cp -a saved/. "$DISK" || exit 99
for left in ${[...wanted].join(' ')}; do
  export LEFT=$left
  [ "$left" != -1 ] || LEFT=
  [ ${when} = during ] || [ -z "$LEFT" ] || { ${FILL}; }
  [ ${when} = during ] || LEFT=
  : > err
  runbook execute ${options} --execution-dir scratch --pass-env DISK --pass-env LEFT > out 2> err & pid=$!
  while kill -0 $pid 2>/dev/null; do
    if grep -q 'waiting for the ledger' err; then rm -f "$DISK/fill"; break; fi
    sleep 0.05
  done
  wait $pid; echo "== $left $?"; cat err
  rm -f "$DISK/fill"
done
cp -a "$DISK/." saved/`;
  scene.home.write('driver', script.replaceAll('runbook ', `"${process.execPath}" -- "$TOOL" `));
  const { stdout, stderr } = await inShell(scene.home, 'mkdir -p disk saved; unshare -rm bash driver', {
    ...scene.env,
    DISK: path.join(scene.home.folder, 'disk'),
    TOOL: path.resolve(import.meta.dirname, '../../bin/runbook.js'),
  });
  if (stderr !== '') throw new Error(stderr);
  return stdout
    .split(/^== /m)
    .slice(1)
    .map((text) => {
      const [head = '', ...rest] = text.split('\n');
      const [left, exitCode] = head.split(' ').map(Number);
      const line = { left: left ?? 0, exitCode: exitCode ?? 0, stderr: rest.join('\n') };
      const runId = /^run (\w+) started$/m.exec(line.stderr)?.[1];
      if (runId !== undefined) scene.told.push({ runId, exitCode: line.exitCode });
      return line;
    });
}

/** One with room, so many fill levels in pages, and one that looks after what the others left. */
const levels = (count: number): readonly number[] => [
  -1,
  ...Array.from({ length: times(count, 10 * count) }, (_, n) => (n % count) * PAGE),
  -1,
];

const exits = (lines: readonly Line[]): readonly (readonly [number, number])[] =>
  lines.map(({ left, exitCode }) => [left, exitCode]);

async function expectSound(scene: Disturbed, what: string, lines: readonly Line[]): Promise<void> {
  const { findings, figures } = await examine(scene, scene.told);
  const untold = lines.filter(({ exitCode }) => exitCode !== 0).length;
  console.log(
    `${what}: ${lines.length} runs, ${untold} told that their end is not recorded, ${JSON.stringify(figures)}`,
  );
  expect(findings).toEqual(NOTHING_WRONG);
}

describe.skipIf(!requires('unshare', '-rm', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt'))(
  'a disk that is nearly full (needs unshare of util-linux)',
  () => {
    it('under the ledger refuses before the start, says what is needed, and takes nothing of the last', async () => {
      const scene = createScene(TAKES_THE_DISK);
      const wanted = [-1, 0, 64 * 1024, MIB, 3.5 * MIB, 4.5 * MIB, -1];
      const lines = await onDisk(scene, './Effect.md --history file --state-dir disk', 'before', wanted);
      expect(exits(lines)).toEqual(wanted.map((left) => [left, left >= 0 && left < 4 * MIB ? 74 : 0]));
      const [, none, little, more, enough] = lines.map(({ stderr }) => stderr);
      expect(none).toMatch(/error: There is no space left on the disk for the ledger /);
      for (const refused of [little, more, enough]) {
        expect(refused).toMatch(/error: The disk of the state folder .* left, and .* needs at least 4\.0 MiB there\./);
        expect(refused).toMatch(/fix: Make room on that disk, or use --state-dir/);
      }
      // The refusal itself is on record where that leaves a MiB.
      expect([little, more, enough].map((text) => text?.includes('could not be recorded'))).toEqual([
        true,
        true,
        false,
      ]);
      expect(scene.told).toHaveLength(3);
      await expectSound({ ...scene, stateDir: path.join(scene.home.folder, 'saved') }, 'refused before the start', []);
    });

    it('under the ledger: a refusal that cannot be recorded is in the file of --record all the same', async () => {
      const scene = createScene(TAKES_THE_DISK);
      const options = './Effect.md --history file --state-dir disk --record record.json';
      const lines = await onDisk(scene, options, 'before', [-1, MIB]);
      expect(exits(lines)).toEqual([
        [-1, 0],
        [MIB, 74],
      ]);
      expect(lines[1]?.stderr).toMatch(/The refusal could not be recorded/);
      const record: unknown = JSON.parse(readFileSync(path.join(scene.home.folder, 'record.json'), 'utf8'));
      expect(violations('history', record)).toEqual([]);
      expect(record).toMatchObject({ run: { state: 'refused', refusal: { code: 'io' }, seq: null } });
    });

    it('under the ledger, since a script has filled it: each end is recorded when there is room again', async () => {
      const scene = createScene(TAKES_THE_DISK);
      const lines = await onDisk(scene, './Effect.md --history file --state-dir disk', 'during', levels(20));
      expect(exits(lines)).toEqual(lines.map(({ left }) => [left, 0]));
      const waited = lines.filter(({ stderr }) => /could not be written: There is no space left/.test(stderr));
      // One page is enough: the write-ahead log is emptied, which makes room.
      expect(waited.filter(({ left }) => left >= 2 * PAGE)).toEqual([]);
      await expectSound({ ...scene, stateDir: path.join(scene.home.folder, 'saved') }, 'the disk of the ledger', lines);
    });

    it('under the document refuses what is to be in the file, and lets `auto` go elsewhere', async () => {
      const scene = await inSaved();
      const wanted = [-1, 0, 0.75 * MIB, 1.25 * MIB];
      const lines = await onDisk(scene, 'disk/Effect.md --history file', 'before', wanted);
      expect(exits(lines)).toEqual(wanted.map((left) => [left, left >= 0 && left < MIB ? 74 : 0]));
      expect(lines[1]?.stderr).toMatch(
        /The disk of disk\/Effect.md is full, and its entry needs at least 1\.0 MiB there\./,
      );
      expect(lines[1]?.stderr).toContain('use --history ledger');
      const [auto] = await onDisk(scene, 'disk/Effect.md --history auto', 'before', [0]);
      expect(auto).toMatchObject({ exitCode: 0, stderr: expect.stringContaining('in the ledger only') as string });
      await expectSound(scene, 'the disk of the document, before', []);
    });

    it('under the document, since a script has filled it: entries are written when there is room', async () => {
      const scene = await inSaved();
      // An entry takes four or five pages.
      const lines = await onDisk(scene, 'disk/Effect.md --history file', 'during', levels(8));
      expect(new Set(lines.map(({ exitCode }) => exitCode))).toEqual(new Set([0]));
      const waiting = lines.filter(({ stderr }) => /The entry was not written \(ENOSPC\)/.test(stderr)).length;
      console.log(`${waiting} entries had to wait`);
      expect(waiting).toBeGreaterThan(0);
      await expectSound(scene, 'the disk of the document', lines);
    });
  },
);

/** With the document on the disk. */
async function inSaved(): Promise<Disturbed> {
  const scene = createScene(TAKES_THE_DISK);
  await inShell(scene.home, 'mkdir saved; mv Effect.md saved');
  return { ...scene, documents: [path.join(scene.home.folder, 'saved/Effect.md')] };
}
