/** A recovery that is killed while it leaves a work folder: whoever comes next loses nothing of what the steps had passed on. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { recover } from '../../src/engine/recover.ts';
import { times } from '../helpers/property.ts';
import { DOCUMENT, runIdOf } from '../helpers/records.ts';
import { documentOf, leftRun, recoveryPorts } from '../helpers/recovery.ts';

const ROUNDS = times(3, 40);
/** Scripts of so many steps take a while to be removed. */
const FILES = 300;
const OUTPUTS: ReadonlyMap<string, string> = new Map([
  ['HOST', 'api-3'],
  ['TOKEN_ID', 't-17'],
]);

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'recover-torn-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

test('outputs of steps are still there, and its secrets are not', async () => {
  writeFileSync(documentOf(folder), DOCUMENT);
  const ports = recoveryPorts(folder);
  let torn = 0;
  try {
    for (let round = 0; round < ROUNDS; round += 1) {
      await leftRun(ports, folder, round);
      const root = path.join(folder, 'scratch', `runbook-exec-${runIdOf(round).toLowerCase()}`);
      const control = path.join(root, 'control');
      for (let n = 0; n < FILES; n += 1) writeFileSync(path.join(control, `${n}.sh`), 'echo a secret');
      // As a run does behind each step.
      writeFileSync(path.join(control, 'passed-on.json'), JSON.stringify([...OUTPUTS]));
      await killedWhile(() => !existsSync(path.join(control, 'passed-on.json')));
      if ((await ports.ledger.get(runIdOf(round)))?.state === 'started') torn += 1;
      await recover(ports, async () => {});
      expect(readdirSync(root).toSorted()).toEqual(['kept.json', 'work']);
      const adopted = await ports.workspace.adopt(runIdOf(1000 + round), runIdOf(round), new AbortController().signal);
      expect(adopted?.outputs).toEqual(OUTPUTS);
      await adopted?.folder.remove();
      expect(await ports.ledger.get(runIdOf(round))).toMatchObject({ state: 'interrupted' });
    }
  } finally {
    ports.ledger.close();
  }
  console.log(`recoveries: ${ROUNDS} killed, ${torn} of them in the middle of it`);
});

/** Looks after the folder in a process of its own, which is killed as soon as it is so, or ends before. */
async function killedWhile(isSo: () => boolean): Promise<void> {
  const script = path.join(import.meta.dirname, '../helpers/recoverer.ts');
  const child = spawn(process.execPath, [script, folder], { stdio: 'ignore' });
  const ended = once(child, 'exit');
  while (child.exitCode === null && !isSo()) await delay(1);
  child.kill('SIGKILL');
  await ended;
}
