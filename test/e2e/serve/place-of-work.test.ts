/** `EXECUTION_DIR`: one that is named has to be there, as in Stage0, and 507 means that space is missing. */
import { renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { classic, createHome } from '../../helpers/cli.ts';
import { startServer } from '../../helpers/server.ts';

it.each(['absent', 'file'])('refuses to start with one that is no folder: %s', async (name) => {
  const home = createHome();
  const { folder } = home;
  writeFileSync(path.join(folder, 'file'), '');
  const { exitCode, stderr } = await home.run(['serve', '--host', '127.0.0.1', '--port', '0'], {
    env: { ENABLE_LOGIN: 'true', EXECUTION_DIR: path.join(folder, name) },
  });
  expect([exitCode, stderr]).toEqual([
    78,
    expect.stringContaining(`EXECUTION_DIR: “${path.join(folder, name)}” is not there`),
  ]);
});

it('is 503 where it is gone later: no space would help', async () => {
  const server = await startServer({ runbooks: { 'Any.md': classic('Any', 'echo ran') } });
  renameSync(server.scratch, `${server.scratch}-away`);
  const { status, json } = await server.execute('Any.md');
  expect([status, json()['code']]).toEqual([503, 'io']);
  renameSync(`${server.scratch}-away`, server.scratch);
  expect((await server.execute('Any.md')).done()).toMatchObject({ success: true });
});
