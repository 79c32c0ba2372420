/** What this machine knows for a word that is being typed. Whatever cannot be found out is simply not offered. */
import type { App } from '../../app.ts';
import { endOf } from '../../core/latest-run.ts';
import type { StoredRun } from '../../core/run.ts';
import type { Runbook } from '../../core/runbook.ts';
import { listRunbooks, showRunbook } from '../../engine/queries.ts';
import { describeAge } from '../describe.ts';
import { inline } from '../render.ts';
import type { Candidate, Known } from './candidates.ts';

/** As many as a person looks at. */
const MOST_RUNS = 20;

/** @param open the app is opened when it is first needed */
export function createKnown(open: () => Promise<App>, environment: readonly string[]): Known {
  const quietly = async <T>(work: (app: App) => Promise<readonly T[]>): Promise<readonly T[]> => {
    try {
      return await work(await open());
    } catch {
      return [];
    }
  };
  const runbookOf = async (app: App, reference: string): Promise<Runbook | null> =>
    (await showRunbook(app, reference)).parsed.runbook;
  return {
    environment,
    runbooks: async () =>
      await quietly(async ({ source }) => (await source.names()).map((value) => ({ value, about: '' }))),
    steps: async (reference) =>
      await quietly(async (app) => {
        const runbook = await runbookOf(app, reference);
        return runbook?.kind === 'steps'
          ? runbook.steps.map(({ name }, index) => ({ value: name, about: `step ${index + 1}` }))
          : [];
      }),
    variables: async (reference) =>
      await quietly(async (app) =>
        ((await runbookOf(app, reference))?.env ?? []).map(({ name, description, secret }) => ({
          // A secret is not for the command line, where everybody can see it.
          value: secret ? name : `${name}=`,
          about: firstLine(description),
        })),
      ),
    choices: async (reference, variable) =>
      await quietly(async (app) => {
        const found = (await runbookOf(app, reference))?.env.find(({ name }) => name === variable);
        const values = found?.choices ?? (found?.type === 'boolean' ? ['true', 'false'] : []);
        return values.map((value) => ({ value, about: value === found?.default ? 'default' : '' }));
      }),
    runs: async (underWay) =>
      await quietly(async (app) => {
        const ledger = await app.peek();
        if (ledger === null) return [];
        const runs = underWay
          ? (await ledger.underWay()).map(({ run }) => run).toReversed()
          : await ledger.list({ limit: MOST_RUNS });
        const now = app.clock.now();
        return runs.slice(0, MOST_RUNS).map((run) => described(run, now));
      }),
    metadata: async (kind) =>
      await quietly(async (app) => {
        const found = (await listRunbooks(app)).flatMap(({ parsed }) => {
          const { tags = [], alerts = [], owner } = parsed?.runbook?.metadata ?? {};
          if (kind === 'owner') return owner === undefined ? [] : [owner];
          return kind === 'tag' ? tags : alerts;
        });
        return [...new Set(found)].sort().map((value) => ({ value, about: '' }));
      }),
  };
}

function described({ runId, runbook, state, result, enqueuedAt }: StoredRun, now: Date): Candidate {
  const end = endOf({ state, outcome: result?.outcome ?? null });
  return { value: runId, about: `${runbook.name}: ${end} ${describeAge(enqueuedAt, now)}` };
}

function firstLine(text: string): string {
  return inline(text.split('\n', 1)[0] ?? '');
}
