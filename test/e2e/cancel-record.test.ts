/** What the record says of requests to end a run: whose each was and why, also of a run that died before it heard of them. */
import { describe, expect, it } from 'vitest';
import { startRun, waitFor } from '../helpers/background.ts';
import { classic, createHome } from '../helpers/cli.ts';
import type { Home } from '../helpers/cli.ts';
import { violations } from '../helpers/schemas.ts';

const SECRET = 'k3y-0f-th3-run-4711';
const SLOW = classic('Slow', waitFor('work'), { env: 'DB_PASSWORD:\n  secret: true' });
const REASONS = ['wrong cluster', null, `really: not with ${SECRET}`] as const;

interface Told {
  readonly operationId: string;
  readonly reason: string | null;
  readonly at: string;
}

/** Asked to end by three people while it cannot hear, then let go or killed. @returns the id of the run */
async function canceled(home: Home, signal: 'SIGCONT' | 'SIGKILL'): Promise<string> {
  const run = await startRun(home, SLOW, 'work', [], { DB_PASSWORD: SECRET });
  process.kill(run.pid, 'SIGSTOP');
  for (const reason of REASONS)
    await home.run(['cancel', run.runId, '--no-wait', ...(reason === null ? [] : ['--reason', reason])]);
  expect((await home.run(['history', run.runId])).stdout.match(/^cancel .* by \S+@\S+$/gm)).toHaveLength(3);
  process.kill(run.pid, signal);
  const { exitCode } = await run.ended;
  expect(exitCode).toBe(signal === 'SIGCONT' ? 143 : undefined);
  return run.runId;
}

/** Of the run, and of the list of operations, oldest first. */
async function toldOf(
  home: Home,
  runId: string,
): Promise<{ readonly run: readonly Told[]; readonly list: readonly Told[] }> {
  const [one, audit] = [await home.json(['history', runId]), await home.json(['audit', 'list'])];
  expect([...violations('history', one), ...violations('audit', audit)]).toEqual([]);
  return { run: one['cancels'] as readonly Told[], list: (audit['operations'] as readonly Told[]).toReversed() };
}

const shownIn = async (home: Home, ...args: readonly string[]): Promise<string> => (await home.run(args)).stdout;

describe('several requests to end one run', () => {
  it('each have their own reason, with the secrets of the run masked, in every list and form', async () => {
    const home = createHome();
    const runId = await canceled(home, 'SIGCONT');
    const masked = ['wrong cluster', null, 'really: not with ***'];
    const { run, list } = await toldOf(home, runId);
    for (const told of [run, list]) expect(told.map(({ reason }) => reason)).toEqual(masked);
    expect(run.map(({ operationId }) => operationId)).toEqual(list.map(({ operationId }) => operationId));
    const rows = (await shownIn(home, 'audit', 'list')).split('\n').slice(1, 4).toReversed();
    expect(rows.map((row) => row.replace(/^\S+ +cancel +\S+ +/, '').replace(/ +\d+$/, ''))).toEqual([
      `${runId}, wrong cluster`,
      runId,
      `${runId}, really: not with ***`,
    ]);
    const text = await shownIn(home, 'history', runId);
    expect(text).toMatch(/^cancel +asked for at \S+Z by \S+@\S+: really: not with \*\*\*$/m);
    expect(text).toMatch(/^outcome +canceled, exit 143, \S+: Canceled by \S+: wrong cluster\.$/m);
  });
});

describe('a run that was to be canceled and died before it heard of that', () => {
  it('is told with who asked for its end and when; why is not known, and nothing of it is left', async () => {
    const home = createHome();
    const runId = await canceled(home, 'SIGKILL');
    const { run, list } = await toldOf(home, runId);
    for (const told of [run, list]) expect(told.map(({ reason }) => reason)).toEqual([null, null, null]);
    expect(run.map(({ at }) => at)).toEqual(list.map(({ at }) => at));
    const text = await shownIn(home, 'history', runId);
    for (const { at } of run) expect(text).toMatch(new RegExp(`^cancel +asked for at ${at} by \\S+@\\S+$`, 'm'));
    expect(text).toMatch(/^state +interrupted$/m);
    const page = await shownIn(home, 'history', runId, '--format', 'markdown');
    expect(page.match(/^\| cancel \| `asked for at \S+Z by \S+@\S+` \|$/gm)).toHaveLength(3);
    expect(text + page).not.toContain('wrong cluster');
  });
});
