/** Output never drowns anybody: whatever a script prints, all of it arrives, memory stays small, the record is exact. */
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { createSpool } from '../../src/adapters/output/spool.ts';
import type { OutputSummary } from '../../src/core/run.ts';
import { createHome } from '../helpers/cli.ts';
import type { CliResult, Home } from '../helpers/cli.ts';
import { flood, lines, MIB, newestRun, sha256 } from '../helpers/floods.ts';
import type { Recorded } from '../helpers/floods.ts';
import { keptOf } from '../helpers/kept.ts';
import { times } from '../helpers/property.ts';
import { requires } from '../helpers/requires.ts';
import { createPeakMeter, inShell } from '../helpers/shell.ts';
import type { PeakMeter } from '../helpers/shell.ts';

const MAX_PEAK_MIB = 120;
const CAP_BYTES = 10 * MIB;
/** `npm run test:long` prints a whole GiB. */
const FLOOD_BYTES = times(128 * MIB, 1024 * MIB);
const WAIT_MS = times(100_000, 600_000);

let home: Home;
let meter: PeakMeter;
let scratch: string;
beforeEach(() => {
  home = createHome();
  meter = createPeakMeter(home);
  scratch = path.join(home.folder, 'scratch');
  mkdirSync(scratch);
});

/** Executes the document with what follows it in the shell's line, and says what it took. */
async function execute(script: string, rest: string, maxOutput?: string): Promise<CliResult> {
  home.write('Flood.md', flood(script, maxOutput));
  const env = { ...meter.env, TMPDIR: scratch, RUNBOOK_MAX_OUTPUT: '1GiB' };
  return await inShell(home, `runbook execute -q ./Flood.md ${rest}`, env, WAIT_MS);
}

/** Nothing but the run's own file, which holds exactly its cap; nothing in the folder for temporary files. */
async function expectExact(run: Recorded, bytes: number, capBytes: number): Promise<void> {
  const { output } = run.result;
  const kept = await keptOf(createSpool(home.stateDir), run.runId);
  const total = kept.chunks.reduce((sum, chunk) => sum + chunk.bytes.length, 0);
  expect(output).toMatchObject({ bytes, dropped: Math.max(0, bytes - capBytes) });
  expect(total).toBe(Math.min(bytes, capBytes));
  expect(kept).toMatchObject({ dropped: output.dropped, complete: true });
  expect(readdirSync(path.join(home.stateDir, 'output'))).toEqual([run.runId]);
  expect(readdirSync(scratch)).toEqual([]);
}

function expectSmall(what: string): void {
  const peak = meter.peakMiB();
  console.log(`${what}: ${peak.toFixed(0)} MiB at most`);
  expect(peak).toBeLessThanOrEqual(MAX_PEAK_MIB);
}

describe.skipIf(!requires('perl'))('a flood (needs perl)', () => {
  const megabytes = FLOOD_BYTES / MIB;
  it.each([
    ['lines of text', FLOOD_BYTES, lines('a line of a log, as long as many are', FLOOD_BYTES)],
    ['one line', FLOOD_BYTES, `head -c ${FLOOD_BYTES} /dev/zero | tr '\\0' x`],
    ['NUL', FLOOD_BYTES, `dd if=/dev/zero bs=1M count=${megabytes} status=none`],
    ['writes of one byte', 200_000, `perl -e 'syswrite(STDOUT, chr(97 + $_ % 26)) for 1..200000'`],
    ['bars of progress', 24_000_000, `perl -e 'printf("\\r%6d %%", $_ % 1000000) for 1..2666666; print "123456"'`],
    ['bytes that are no text', 64 * MIB, `head -c ${64 * MIB} /dev/urandom`],
  ])('of %s arrives whole, is kept to the byte, and its exit code is the script’s', async (name, bytes, print) => {
    const { stdout } = await execute(`${print}\nexit 7`, '| sha256sum; echo "${PIPESTATUS[0]}"');
    const run = await newestRun(home);
    const [digest, , exitCode] = stdout.split(/\s+/);
    expect(exitCode).toBe('7');
    expect(run.result.output.digest).toBe(digest);
    await expectExact(run, bytes, CAP_BYTES);
    expectSmall(`${name}, ${(bytes / MIB).toFixed(0)} MiB`);
  });

  it('into a file is that file, and the record has its two ends', async () => {
    const numbers = `seq -f 'INSERT INTO t VALUES (%.0f);' 1 ${times(2_000_000, 20_000_000)}`;
    const { exitCode } = await execute(numbers, '> dump.sql');
    const dump = readFileSync(path.join(home.folder, 'dump.sql'));
    const run = await newestRun(home);
    const { chunks, gapAt } = await keptOf(createSpool(home.stateDir), run.runId);
    expect(exitCode).toBe(0);
    expect(run.result.output.digest).toBe(sha256(dump));
    expect(dump.toString('latin1', dump.length - 40)).toMatch(/VALUES \([12]0*\);\n$/);
    const [head, tail] = [chunks.slice(0, gapAt), chunks.slice(gapAt)].map((part) =>
      Buffer.concat(part.map(({ bytes }) => bytes)),
    );
    expect(head?.equals(dump.subarray(0, CAP_BYTES / 2))).toBe(true);
    expect(tail?.equals(dump.subarray(-CAP_BYTES / 2))).toBe(true);
    await expectExact(run, dump.length, CAP_BYTES);
    expectSmall(`a dump of ${(dump.length / MIB).toFixed(0)} MiB`);
  });

  it('on both streams at once arrives on both', async () => {
    const half = FLOOD_BYTES / 2;
    const { stdout } = await execute(
      `${lines('out', half)} & ${lines('err', half)} >&2; wait`,
      `> out 2> err; echo $?; sha256sum < out; sha256sum < err; ${lines('out', half)} | sha256sum; ${lines('err', half)} | sha256sum`,
    );
    const [exitCode, out, , err, , wholeOut, , wholeErr] = stdout.split(/\s+/);
    expect({ exitCode, out, err }).toEqual({ exitCode: '0', out: wholeOut, err: wholeErr });
    await expectExact(await newestRun(home), FLOOD_BYTES, CAP_BYTES);
    expectSmall(`both streams, ${(FLOOD_BYTES / MIB).toFixed(0)} MiB`);
  });

  it('on both streams into one pipe is counted and its digest is that of the order in which it is kept', async () => {
    const bytes = 4 * MIB;
    const { stdout } = await execute(
      `${lines('out', bytes)} & ${lines('error', bytes)} >&2; wait`,
      '2>&1 | wc -c; echo "${PIPESTATUS[0]}"',
    );
    expect(stdout.split(/\s+/)).toEqual([String(2 * bytes), '0']);
    const run = await newestRun(home);
    const { chunks } = await keptOf(createSpool(home.stateDir), run.runId);
    expect(run.result.output.digest).toBe(sha256(...chunks.map((chunk) => chunk.bytes)));
    await expectExact(run, 2 * bytes, CAP_BYTES);
  });

  it('with a cap far above what memory may hold is kept on disk, and is shown from there', async () => {
    const cap = times(96 * MIB, 1024 * MIB);
    const bytes = times(128 * MIB, 1500 * MIB);
    await execute(
      `${lines('a line with ümläuts', bytes / 2)}; head -c ${bytes / 2} /dev/urandom`,
      '> all',
      `${cap / MIB}MiB`,
    );
    expectSmall(`a cap of ${cap / MIB} MiB`);
    const run = await newestRun(home);
    const all = path.join(home.folder, 'all');
    const { stdout } = await inShell(home, `tail -c ${cap / 2} all | sha256sum; sha256sum < all`, {}, WAIT_MS);
    const [tailDigest, , digest] = stdout.split(/\s+/);
    expect(run.result.output).toMatchObject({ bytes, dropped: bytes - cap, digest });
    const hash = createHash('sha256');
    let behindGap = false;
    for await (const item of createSpool(home.stateDir).read(run.runId)) {
      if (behindGap && item.kind === 'chunk') hash.update(item.bytes);
      behindGap ||= item.kind === 'gap';
    }
    expect(hash.digest('hex')).toBe(tailDigest);
    expect(readdirSync(path.join(home.stateDir, 'output'))).toEqual([run.runId]);
    rmSync(all);

    for (const form of ['', ' --json']) {
      const shown = await inShell(home, `runbook history ${run.runId}${form} | wc -c`, meter.env, WAIT_MS);
      expect(Number(shown.stdout)).toBeGreaterThan(cap);
      // Also V8 has nothing to say, of a flag that it does not know.
      expect(shown.stderr).toBe('');
      expectSmall(`history${form} of ${cap / MIB} MiB`);
    }
  });
});

describe('output in a JSON document', () => {
  it('is the text that was written, wherever it was cut on its way', async () => {
    const text = 'aé€😀\u0000"\\\n';
    home.write(
      'Flood.md',
      flood(`for i in {1..400}; do printf '%s' 'aé€😀'; printf '\\0"\\\\\\n'; done; printf 'err\\xff\\xe2\\x82' >&2`),
    );
    const { stdout } = await home.run(['execute', '-q', './Flood.md', '--json']);
    expect(JSON.parse(stdout)).toMatchObject({
      result: { output: { stdout: text.repeat(400), stderr: 'err\uFFFD\uFFFD' } },
    });
  });

  it('of many MiB of bytes that are no text costs no memory', async () => {
    await execute(`head -c ${32 * MIB} /dev/urandom; exit 7`, '--json > shown.json 2> all', '64MiB');
    expectSmall('--json of 32 MiB');
    const { exitCode, result } = JSON.parse(readFileSync(path.join(home.folder, 'shown.json'), 'utf8')) as {
      exitCode: number;
      result: { output: OutputSummary & { stdout: string } };
    };
    const all = readFileSync(path.join(home.folder, 'all'));
    expect(exitCode).toBe(7);
    expect(result.output).toMatchObject({ bytes: 32 * MIB, dropped: 0 });
    expect(all.toString('utf8').startsWith(result.output.stdout)).toBe(true);
  });
});

describe.skipIf(!requires('perl'))('a reader (needs perl)', () => {
  const reader = (times_: number, bytes: number, pause: number): string =>
    `perl -e 'for (1..${times_}) { sysread(STDIN, $b, ${bytes}) or last; select undef, undef, undef, ${pause} }'`;

  it('that is slow and then leaves holds the script back; the run ends as canceled and the script with it', async () => {
    const script = `echo $$ > ${home.folder}/pid; exec perl -e '$| = 1; open L, ">", "${home.folder}/written"; L->autoflush; while (1) { syswrite STDOUT, "x" x 65536; seek L, 0, 0; print L ++$n }'`;
    const { stdout } = await execute(script, `| ${reader(32, 4096, 0.0625)}; echo "\${PIPESTATUS[0]}"`);
    const run = await newestRun(home);
    expect(stdout.trim()).toBe('141');
    expect(run.result).toMatchObject({ outcome: 'canceled', reason: expect.stringContaining('closed it') as string });
    // 128 KiB were read; what lies in two pipes and in chunks on their way is little. In the two seconds of the reader
    // a script that nothing holds back writes thousands of MiB.
    expect(Number(readFileSync(path.join(home.folder, 'written'), 'utf8'))).toBeLessThan((8 * MIB) / 65_536);
    expect(isAlive(Number(readFileSync(path.join(home.folder, 'pid'), 'utf8')))).toBe(false);
    expectSmall('a slow reader');
  });

  it('of one line ends the run', async () => {
    const { stdout } = await execute(
      `echo $$ > ${home.folder}/pid; exec yes`,
      '| head -n 1; echo "${PIPESTATUS[0]}"; exec > /dev/null',
    );
    expect(stdout).toBe('y\n141');
    expect(isAlive(Number(readFileSync(path.join(home.folder, 'pid'), 'utf8')))).toBe(false);
  });

  it('that is slow and stays gets everything, also what comes at the end', async () => {
    const bytes = 2 * MIB;
    const print = `perl -e 'print map { sprintf "%07d\\n", $_ } 1..${bytes / 8}'`;
    const slow = `perl -e 'while ((my $n = sysread STDIN, $b, 8192)) { print $b; select undef, undef, undef, 0.005 }'`;
    const { stdout } = await execute(
      `${print}; exit 7`,
      `| ${slow} | sha256sum; echo "\${PIPESTATUS[0]}"; ${print} | sha256sum`,
    );
    const [seen, , exitCode, written] = stdout.split(/\s+/);
    expect({ seen, exitCode }).toEqual({ seen: written, exitCode: '7' });
    expect((await newestRun(home)).result.output).toMatchObject({ bytes, dropped: 0, digest: written });
  });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
