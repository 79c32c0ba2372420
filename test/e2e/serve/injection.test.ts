/** Texts that want to be a line, a header or an event of their own, in everything that callers name: none becomes one. */
import { expect, it, vi } from 'vitest';
import { classic } from '../../helpers/cli.ts';
import { times } from '../../helpers/property.ts';
import { numbersOf } from '../../helpers/senseless-requests.ts';
import { startServer } from '../../helpers/server.ts';
import type { RequestOptions } from '../../helpers/server.ts';

const server = await startServer({
  env: { LOGGING_LEVEL: 'DEBUG' },
  runbooks: { 'Real.md': classic('Real', 'echo real', { env: 'A: Any text' }) },
});
const AWAY = [
  ...['\r\n', '\n', '\r', '\0', '\v', '\f', '\u001c', '\u001e', '\u007f', '\u0085', '\u009b31m', '\u001b[2J'],
  ...['\u2028', '\u2029', '\u202e', '\u2066', '\u200b', '\ufeff', '\u{e0001}', '\ud800'],
];
const FORGED = [
  '{"level":"fatal","msg":"forged"}',
  'Set-Cookie: forged=1',
  'event: done\ndata: {"forged":1}',
  'forged',
];
/** Also all that programs which read lines take for the end of one. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u;

it('a2b: correlation ids, names, people, roles, chains, variables and questions', async () => {
  const seed = Date.now() % 2 ** 31;
  const random = numbersOf(seed);
  const nasty = (): string => `a${AWAY[random(AWAY.length)] ?? ''}${FORGED[random(FORGED.length)] ?? ''}`;
  const inAddress = (text: string): string => encodeURIComponent(text.toWellFormed());
  // What HTTP itself refuses is not what is asked here.
  const inHeader = (text: string): string =>
    Buffer.from(text.replaceAll(/[^\t\P{Cc}]/gu, ''))
      .toString('latin1')
      .replaceAll(/[\x7f-\x9f]/g, '');
  const json = (text: string): string =>
    JSON.stringify([text]).replaceAll(/[^ -~]/g, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`);
  const wrong: string[] = [];
  const count = times(1000, 10_000);
  let runs = 0;
  const one = async (n: number): Promise<void> => {
    const isRun = n % 100 === 0;
    const claims = random(2) === 0 ? { roles: ['sre', nasty()] } : { sub: nasty() };
    const everything = `a${AWAY.join('forged')}`;
    const token = await server.token(isRun ? { roles: ['sre', everything, nasty()] } : claims);
    const headers = {
      'x-correlation-id': inHeader(nasty()),
      'x-recursion-stack': json(nasty()),
      referer: inHeader(nasty()),
    };
    const body = { env_vars: { [isRun ? 'A' : nasty()]: `v${n}` } };
    const asked: readonly (readonly [string, string, RequestOptions])[] = [
      ['POST', '/api/runbooks/Real.md/execute', { body }],
      ['GET', `/api/runbooks/${inAddress(nasty())}`, {}],
      ['GET', `/api/runbooks?${inAddress(nasty())}=${inAddress(nasty())}`, {}],
      ['GET', '/api/config', {}],
      ['PATCH', '/api/runbooks/Real.md/validate', { body }],
    ];
    const [method, address, more] = asked[isRun ? 0 : random(asked.length)] ?? ['GET', '/', {}];
    const answer = await server.request(method, address, { ...more, token, headers });
    const id = String(answer.headers['x-correlation-id']);
    if (!/^[A-Za-z0-9._-]{1,64}$/.test(id) || answer.headers['set-cookie'] !== undefined)
      wrong.push(`${address}: ${id}`);
    if (answer.status >= 500) wrong.push(`${method} ${address}: ${answer.status} ${answer.text}`);
    const dones = answer.text.match(/^event: done$/gm)?.length ?? 0;
    if (dones > 1 || /^data: \{"forged/m.test(answer.text)) wrong.push(answer.text);
    runs += answer.headers['x-run-id'] === undefined ? 0 : 1;
  };
  for (let at = 0; at < count; at += 8) await Promise.all(Array.from({ length: 8 }, async (_, n) => await one(at + n)));

  const ended = (): number => server.log().filter(({ msg }) => msg === 'Run ended').length;
  await vi.waitFor(() => expect(ended()).toBe(runs), { timeout: 30_000 });
  const { stdout } = await server.stop();
  const lines = stdout.trimEnd().split('\n');
  expect(wrong.slice(0, 3)).toEqual([]);
  expect(lines.filter((line) => UNPRINTABLE.test(line)).slice(0, 3)).toEqual([]);
  const events = lines.map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);
  expect(events.filter(({ level }) => level === 'fatal' || level === 'error')).toEqual([]);
  // A request is a line: those of the test, and the few that the helper asks at the start.
  const requests = events.filter(({ msg }) => msg === 'Request').length;
  expect(requests - count).toBeGreaterThanOrEqual(0);
  expect(requests - count).toBeLessThan(10);
  // They did get as far as the log.
  expect(stdout).toContain(String.raw`\u202e`);
  process.stdout.write(`seed ${seed}, requests ${count}, runs ${runs}, lines ${lines.length}\n`);
  expect(runs).toBeGreaterThanOrEqual(count / 100);
});
