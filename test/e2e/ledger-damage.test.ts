/** A ledger whose files are damaged or taken away: nothing is made up, and what cannot be recorded is said. */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { execaSync } from 'execa';
import { describe, expect, it } from 'vitest';
import { KILL_RUNNER } from '../helpers/cli.ts';
import { examine, NOTHING_WRONG } from '../helpers/oracle.ts';
import { times } from '../helpers/property.ts';
import { createScene, runCli, runOnce } from '../helpers/scene.ts';
import type { Disturbed, Ended } from '../helpers/scene.ts';

const FILE = ['--history', 'file'];
const PAGE = 4096;
const LEDGER = 'ledger.sqlite';

describe('a page of the ledger that is damaged', () => {
  it('ends the run before its start, or its end is said not to be recorded, or the run had no need of it', async () => {
    const scene = createScene();
    for (let n = 0; n < 3; n += 1) await runOnce(scene);
    const file = path.join(scene.stateDir, LEDGER);
    const sound = readFileSync(file);
    const pages = sound.length / PAGE;
    const tried = Array.from({ length: times(8, 1000) }, (_, n) => Math.floor((n * pages) / times(8, 1000)));
    const seen = new Map<string, number>();
    for (const page of new Set(tried)) {
      const damaged = Buffer.from(sound);
      damaged.fill(0xa5, page * PAGE, page * PAGE + 300);
      writeFileSync(file, damaged);
      const { exitCode, runId, said } = await runCli(scene, FILE);
      const what = said.find((line) => line.includes('error:'))?.replace(/.*error: /, '') ?? 'nothing';
      const kind = `${exitCode} ${runId === null ? 'not begun' : 'begun'}: ${what.replace(scene.stateDir, '…').replace(/\w{26}/, 'X')}`;
      seen.set(kind, (seen.get(kind) ?? 0) + 1);
    }
    console.log(`${new Set(tried).size} of ${pages} pages`, seen);
    const damage = 'The file …/ledger.sqlite is damaged or is not a ledger of runbook.';
    const untold = `The run X ended (succeeded), but its end could not be recorded: ${damage}`;
    const expected = ['0 begun: nothing', `69 not begun: ${damage}`, `74 begun: ${untold}`];
    expect([...seen.keys()].filter((kind) => !expected.includes(kind))).toEqual([]);
    expect(seen.get(expected[1] ?? '')).toBeGreaterThan(0);
  });
});

describe('the ledger, taken away while a run goes on', () => {
  it.each([
    ['removed', 'rm "$LEDGER"*'],
    ['replaced', 'cp "$LEDGER" "$LEDGER.new"; mv "$LEDGER.new" "$LEDGER"'],
  ])('and %s: nobody says that the run succeeded and was recorded', async (_name, during) => {
    const scene = createScene('eval "${DURING:-true}"');
    await runOnce(scene);
    const env = { ...scene.env, LEDGER: path.join(scene.stateDir, LEDGER), DURING: during };
    const ended = await runCli({ ...scene, env }, ['--pass-env', 'LEDGER', '--pass-env', 'DURING', ...FILE]);
    expect(ended.exitCode).toBe(74);
    expect(ended.said.join('\n')).toMatch(
      /The run \w+ ended \(succeeded\), but its end could not be recorded: The ledger .* was removed or replaced/,
    );
    // What no ledger says is not in the document either.
    expect(readFileSync(scene.document, 'utf8').match(/^### .* \| Exit Code: .*$/gm)).toHaveLength(1);
  });
});

describe('the write-ahead log of the ledger', () => {
  /** One run with what is done in it, what is done after it, and one more run. */
  const disturb = async (during: string, after: string): Promise<{ scene: Disturbed; ended: Ended }> => {
    const scene = createScene('eval "${DURING:-true}"');
    await runOnce(scene);
    const env = { ...scene.env, LEDGER: path.join(scene.stateDir, LEDGER), DURING: during };
    const ended = await runCli({ ...scene, env }, ['--pass-env', 'LEDGER', '--pass-env', 'DURING', ...FILE]);
    execaSync('sh', ['-c', after], { env });
    expect((await runCli(scene, FILE)).exitCode).toBe(0);
    return { scene, ended };
  };

  it.each([['moved', 'mv "$LEDGER-wal" "$LEDGER.away"']])(
    'is %s while a run goes on: its end is recorded all the same',
    async (_name, during) => {
      const { scene, ended } = await disturb(during, 'true');
      expect(ended.exitCode).toBe(0);
      expect((await examine(scene, scene.told)).findings).toEqual(NOTHING_WRONG);
    },
  );

  it.each([
    [
      'overwritten in its middle',
      'head -c 20000 /dev/zero | dd of="$LEDGER-wal" bs=1000 seek=20 conv=notrunc 2> /dev/null',
    ],
  ])('is %s after its runner was killed: all before that is there, and whole', async (_name, after) => {
    const { scene, ended } = await disturb(KILL_RUNNER, after);
    expect(ended.exitCode).toBeNull();
    const { findings } = await examine(scene, scene.told);
    // What was in the log and nowhere else is gone, as with any end that is cut off.
    expect(findings.lost.filter((line) => !line.startsWith(ended.runId ?? '?'))).toEqual([]);
    expect(findings).toMatchObject({ damage: [], duplicates: [], unfinished: [], halfWritten: [] });
  });
});
