/** A GiB of output: how long, how much memory; and when the first byte of a run arrives. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { BIN, peakOf, runbook, withHome } from './home.ts';
import type { Home } from './home.ts';
import { compare, median, table } from './measure.ts';
import type { Candidate } from './measure.ts';

const MIB = 1024 ** 2;
const BYTES = 1024 * MIB;
const PRINT = `dd if=/dev/zero bs=64k count=${BYTES / 65_536} status=none`;
const ROUNDS = 5;

const count = (onChunk: string, before = ''): string =>
  `const { spawn } = require('node:child_process'); ${before}
   const child = spawn('bash', ['-c', ${JSON.stringify(PRINT)}], { stdio: ['ignore', 'pipe', 'pipe'], detached: true });
   let bytes = 0; child.stdout.on('data', (chunk) => { bytes += chunk.length; ${onChunk} });
   child.on('close', () => { if (bytes !== ${BYTES}) process.exit(1); });`;
const COUNTING = 'a handler that counts';
const PASSING = 'a handler that counts, hashes and passes on';

export async function benchOutput(): Promise<void> {
  await withHome(async (home) => {
    home.write('Flood.md', runbook('Flood', PRINT));
    const peaks = new Map<string, () => number>();
    const node = (name: string, args: readonly string[]) => {
      const { env, peakMib } = peakOf(home, name);
      peaks.set(name, peakMib);
      return async (): Promise<void> => await home.node(args, env);
    };
    const hash = `const hash = require('node:crypto').createHash('sha256'), { writeSync } = require('node:fs');`;
    const ours = 'runbook execute -q > /dev/null (cap 10 MiB)';
    const candidates: readonly Candidate[] = [
      { name: COUNTING, run: node(COUNTING, ['-e', count('')]) },
      {
        name: PASSING,
        against: [[COUNTING]],
        run: node(PASSING, ['-e', count('hash.update(chunk); writeSync(1, chunk);', hash)]),
      },
      {
        name: ours,
        against: [[COUNTING, 1.3], [PASSING]],
        run: node(ours, ['--', BIN, 'execute', '-q', './Flood.md']),
      },
    ];
    await compare('1 GiB of output', candidates, { rounds: ROUNDS, budgetMs: 30_000 });
    table(
      'Peak memory of the process over all rounds',
      ['', 'MiB', 'target'],
      [...peaks].map(([name, peakMib]) => [name, peakMib().toFixed(0), name.startsWith('runbook') ? '≤ 120' : '']),
    );
    await firstByte(home);
  });
}

/** From the start of the command, and from the moment at which the script writes it. */
async function firstByte(home: Home): Promise<void> {
  home.write('First.md', runbook('First', 'date +%s.%N; sleep 0.1'));
  const [sinceStart, sinceWrite]: [number[], number[]] = [[], []];
  for (let round = 0; round < 10; round += 1) {
    const started = Date.now();
    const child = spawn(process.execPath, ['--', BIN, 'execute', '-q', './First.md'], {
      cwd: home.folder,
      env: home.env,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const ended = once(child, 'close');
    const [chunk] = (await once(child.stdout, 'data')) as [Buffer];
    const now = Date.now();
    sinceStart.push(now - started);
    sinceWrite.push(now - Number(chunk.toString()) * 1000);
    await ended;
  }
  table(
    'First byte at the reader',
    ['', 'median', 'target'],
    [
      ['after the start of the command', `${median(sinceStart).toFixed(0)} ms`, ''],
      ['after the script has written it', `${median(sinceWrite).toFixed(1)} ms`, '≤ 250 ms'],
    ],
  );
}
