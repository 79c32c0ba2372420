/** Tokens of logins as files: for their owner only, there whole or not at all, one process at a time. */
import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { execa } from 'execa';
import { expect, onTestFinished, test } from 'vitest';
import { createLoginStore } from '../../../src/adapters/login/store.ts';
import type { LoginStore, StoredLogin } from '../../../src/core/login.ts';
import { REPOSITORY } from '../../helpers/cli.ts';

const ORIGIN = 'https://runbooks.example.com:8443';
const login: StoredLogin = {
  origin: ORIGIN,
  accessToken: 'access',
  expiresAt: '2026-03-15T12:00:00.000Z',
  refreshToken: 'refresh',
  renewal: { tokenEndpoint: 'https://sso.example.com/token', clientId: 'runbook' },
};

function create(): { readonly store: LoginStore; readonly folder: string; readonly file: () => string } {
  const state = mkdtempSync(path.join(tmpdir(), 'login-store-'));
  onTestFinished(() => {
    rmSync(state, { recursive: true });
  });
  const folder = path.join(state, 'login');
  const file = (): string => path.join(folder, readdirSync(folder).find((name) => name.endsWith('.json')) ?? '');
  return { store: createLoginStore(state), folder, file };
}

test('what is kept is for its owner only, also where it replaces something, and is found by its origin alone', async () => {
  const { store, folder, file } = create();
  expect(await store.read(ORIGIN)).toBeNull();
  expect(await store.remove(ORIGIN)).toBe(false);
  const umask = process.umask(0);
  onTestFinished(() => {
    process.umask(umask);
  });
  await store.write(login);
  chmodSync(file(), 0o666);
  await store.write({ ...login, accessToken: 'next' });
  expect([statSync(file()).mode & 0o777, statSync(folder).mode & 0o777]).toEqual([0o600, 0o700]);
  expect(readdirSync(folder)).toHaveLength(1);
  expect(await store.read(ORIGIN)).toMatchObject({ accessToken: 'next' });
  for (const other of ['https://runbooks.example.com', 'http://runbooks.example.com:8443', `${ORIGIN}/`])
    expect([other, await store.read(other)]).toEqual([other, null]);
  expect(await store.remove(ORIGIN)).toBe(true);
  expect(readdirSync(folder)).toEqual([]);
});

test('what is no login, or that of another server under this name, is none', async () => {
  const { store, folder, file } = create();
  await store.write(login);
  const name = file();
  const told = JSON.parse(readFileSync(name, 'utf8')) as object;
  for (const text of [
    '',
    '{',
    'null',
    JSON.stringify({ ...told, origin: 'https://elsewhere.example.com' }),
    JSON.stringify({ ...told, accessToken: 7 }),
    JSON.stringify({ ...told, renewal: { tokenEndpoint: 7, clientId: 'runbook' } }),
    JSON.stringify({ ...told, more: 'x'.repeat(200_000) }),
  ]) {
    writeFileSync(name, text);
    expect([text.slice(0, 200), await store.read(ORIGIN)]).toEqual([text.slice(0, 200), null]);
  }
  const elsewhere = path.join(folder, 'elsewhere');
  writeFileSync(elsewhere, JSON.stringify(told));
  rmSync(name);
  symlinkSync(elsewhere, name);
  expect([await store.read(ORIGIN), await store.all()]).toEqual([null, []]);
  // What is written takes the place of the link, and leaves alone what it led to.
  await store.write(login);
  expect(JSON.parse(readFileSync(elsewhere, 'utf8'))).toEqual(told);
  expect(await store.all()).toMatchObject([{ origin: ORIGIN }]);
});

test('one process after the other has its turn, also behind one that was killed', async () => {
  const { store, folder } = create();
  await store.write(login);
  const holder = execa(
    process.execPath,
    [
      '--input-type=module',
      '-e',
      `import { takeTurn } from '${REPOSITORY}/src/adapters/login/turn.ts';
       await takeTurn(process.argv[1]); console.log('in'); await new Promise((end) => setTimeout(end, 60_000));`,
      folder,
    ],
    { reject: false },
  );
  await new Promise((resolve) => holder.stdout.once('data', resolve));
  const order: string[] = [];
  const waiting = ['a', 'b', 'c'].map(
    async (name) =>
      await store.inTurn(async () => {
        order.push(name);
        await new Promise((resolve) => setTimeout(resolve, 5));
        order.push(name);
      }),
  );
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(order).toEqual([]);
  holder.kill('SIGKILL');
  await Promise.all([holder, ...waiting]);
  expect([order.length, order[0], order[2], order[4]]).toEqual([6, order[1], order[3], order[5]]);
  const mistake = new TypeError('mine');
  await expect(store.inTurn(async () => await Promise.reject(mistake))).rejects.toBe(mistake);
  expect(await store.inTurn(async () => await Promise.resolve(7))).toBe(7);
});
