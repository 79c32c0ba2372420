/** One run in a cage of its own, to its end. */
import { alive } from './census.ts';
import { startRunner } from './rounds.ts';
import type { Wish } from './rounds.ts';
import type { Cage, Zoo } from './zoo.ts';

export interface Ran {
  readonly exitCode: number | undefined;
  readonly outcome: string;
  readonly reason: string | null;
  /** What the run says of its containment: `proven` or `best effort`. */
  readonly claim: string;
  /** Outcomes of the steps. */
  readonly steps: readonly string[];
  readonly stdout: string;
  /** Messages of the runner, and the script's stderr. */
  readonly stderr: string;
  /** From the start of the runner to its end. */
  readonly tookMs: number;
  /** Kinds that were alive right after it. */
  readonly survivors: readonly string[];
}

interface Printed {
  readonly result?: {
    readonly outcome: string;
    readonly reason: string | null;
    readonly containment: { readonly claim: string };
    readonly steps: readonly { readonly outcome: string }[];
    readonly output: { readonly stdout: string };
  };
}

/**
 * @param document of the runbook, by the cage that it will run in
 * @param during what is done meanwhile; gets a function that signals the runner
 */
export async function runOnce(
  zoo: Zoo,
  who: Pick<Wish, 'user' | 'rung'>,
  document: (cage: Cage) => string,
  options: {
    readonly args?: readonly string[];
    readonly env?: Readonly<Record<string, string>>;
    readonly during?: (cage: Cage, signal: (name: NodeJS.Signals) => void) => Promise<void>;
    /** Looks at what it has left before that is removed. */
    readonly after?: (cage: Cage) => void;
  } = {},
): Promise<Ran> {
  const cage = zoo.open(who.user);
  try {
    const rung = { ...who.rung, env: { ...who.rung.env, ...options.env } };
    const args = [
      'execute',
      cage.write('Run', document(cage)),
      '--history',
      'ledger',
      '--json',
      ...(options.args ?? []),
    ];
    const startedAt = performance.now();
    const runner = startRunner(cage, { user: who.user, rung }, args);
    await options.during?.(cage, (name) => {
      runner.kill(name);
    });
    const { exitCode, stdout, stderr } = await runner;
    const tookMs = Math.round(performance.now() - startedAt);
    const survivors = alive(cage.folder).map(({ kind }) => kind);
    options.after?.(cage);
    const { result } = (stdout === '' ? {} : JSON.parse(stdout)) as Printed;
    return {
      exitCode,
      outcome: result?.outcome ?? '',
      reason: result?.reason ?? null,
      claim: result?.containment.claim ?? '',
      steps: result?.steps.map((step) => step.outcome) ?? [],
      stdout: result?.output.stdout ?? '',
      stderr,
      tookMs,
      survivors,
    };
  } finally {
    await cage.close();
  }
}
