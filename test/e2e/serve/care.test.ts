/** What a server does beside requests: runs of others that were killed, and output that is too old or too much. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import Database from 'better-sqlite3';
import { execa } from 'execa';
import { expect, it } from 'vitest';
import { eventually } from '../../helpers/background.ts';
import { BIN, classic, cleanEnvironment } from '../../helpers/cli.ts';
import { startServer } from '../../helpers/server.ts';

it('a run of the command line that is killed is recorded as interrupted within half a minute, by the server alone', async () => {
  const server = await startServer({ runbooks: { 'Slow.md': classic('Slow', 'touch "$HOME/begun"; sleep 300') } });
  const child = execa(process.execPath, ['--', BIN, 'execute', path.join(server.runbooksDir, 'Slow.md')], {
    cwd: server.folder,
    env: cleanEnvironment(server.folder),
    extendEnv: false,
    reject: false,
    stdin: 'ignore',
  });
  const last = async (): Promise<unknown> => {
    const { runbooks } = (await server.get('/api/runbooks?include=last')).json() as {
      readonly runbooks: readonly { readonly last: { readonly state: string } | null }[];
    };
    return runbooks[0]?.last?.state;
  };
  await eventually(
    () => existsSync(path.join(server.folder, 'begun')),
    () => 'the script',
  );
  expect(await last()).toBe('started');
  const killedAt = Date.now();
  child.kill('SIGKILL');
  await child;
  // Whoever asks is told before it is recorded.
  await eventually(
    async () => (await last()) === 'interrupted',
    () => 'the interruption',
  );
  const said = () => server.log().filter(({ msg }) => /^Run \S+ of Slow: Interrupted at/.test(String(msg)));
  await expect.poll(() => said().length, { timeout: 60_000 }).toBe(1);
  const seconds = (Date.now() - killedAt) / 1000;
  process.stdout.write(`recorded after ${seconds.toFixed(1)} s\n`);
  expect(seconds).toBeLessThan(45);
  expect((await server.get('/api/runbooks/Slow.md')).text).toContain('Interrupted at');
});

/** Two looks of the server may be needed, half a minute after each other. */
async function untilLate(check: () => Promise<boolean>, what: () => string): Promise<void> {
  await eventually(check, what).catch(async () => {
    await eventually(check, what);
  });
}

it('output beyond the limit goes while requests are answered, the oldest first, and no record with it', async () => {
  const RUNS = 8;
  const document = classic('Much', 'head -c 300000 /dev/zero | tr "\\0" x');
  const first = await startServer({ runbooks: { 'Much.md': document } });
  const ids: string[] = [];
  for (let count = 0; count < RUNS; count += 1) ids.push(String((await first.execute('Much.md')).headers['x-run-id']));
  const { stateDir } = first;
  await first.stop();
  const kept = (): string[] => readdirSync(path.join(stateDir, 'output')).map((name) => name.slice(0, 26));
  expect(new Set(kept())).toEqual(new Set(ids));
  // It is done once a day, and for a second at most: here the next day comes when the server looks again.
  const anotherDay = (): void => {
    const database = new Database(path.join(stateDir, 'ledger.sqlite'));
    database.prepare("DELETE FROM turns WHERE name = 'retention'").run();
    database.close();
  };
  anotherDay();

  const server = await startServer({
    env: { RUNBOOK_STATE_DIR: stateDir, RUNBOOK_MAX_OUTPUT_STORE: '1MiB' },
    runbooks: { 'Much.md': document, 'Hello.md': classic('Hello', 'echo hello') },
  });
  let answered = 0;
  await untilLate(
    async () => {
      const answers = await Promise.all([server.get('/api/runbooks'), server.get('/api/runbooks/Much.md')]);
      expect(answers.map(({ status }) => status)).toEqual([200, 200]);
      expect((await server.execute('Hello.md')).done()).toMatchObject({ success: true, stdout: 'hello\n' });
      answered += 3;
      anotherDay();
      return !kept().includes(ids[0] ?? '') && !kept().includes(ids[4] ?? '');
    },
    () => `output is removed: ${kept().length} are there`,
  );
  const left = ids.filter((id) => kept().includes(id));
  process.stdout.write(`${RUNS - left.length} of ${RUNS} removed beside ${answered} requests\n`);
  expect(left).toEqual(ids.slice(RUNS - left.length));
  expect(left).toHaveLength(3);
  expect(statSync(path.join(stateDir, 'ledger.sqlite')).size).toBeGreaterThan(0);
  const { exitCode, stdout } = await execa(
    process.execPath,
    ['--', BIN, 'history', '--runbook', 'Much', '--json', '--state-dir', stateDir],
    { cwd: server.folder, env: cleanEnvironment(server.folder), extendEnv: false, reject: false },
  );
  expect([exitCode, (JSON.parse(stdout) as { readonly runs: readonly unknown[] }).runs.length]).toEqual([0, RUNS]);
}, 240_000);
