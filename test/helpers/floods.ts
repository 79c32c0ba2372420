/** Runbooks that print a lot, and what the record says of them. */
import { createHash } from 'node:crypto';
import type { OutputSummary } from '../../src/core/run.ts';
import type { Home } from './cli.ts';

export const MIB = 1024 ** 2;

/** A runbook of one step. `maxOutput` is the cap, 10 MiB unless it is given. */
export function flood(script: string, maxOutput = '10MiB'): string {
  return `# Flood\n\n# Limits\n\`\`\`yaml\nmax_output: ${maxOutput}\n\`\`\`\n\n# Steps\n\n## Print\n\`\`\`bash\n${script}\n\`\`\`\n`;
}

/** A script of steps runs with `pipefail`, and `yes` always ends by a signal. */
export function lines(line: string, bytes: number): string {
  return `(yes '${line}' || true) | head -c ${bytes}`;
}

export interface Recorded {
  readonly runId: string;
  readonly result: { readonly outcome: string; readonly reason: string | null; readonly output: OutputSummary };
}

export async function newestRun(home: Home): Promise<Recorded> {
  const [run] = ((await home.json(['history', '--limit', '1'])) as unknown as { runs: Recorded[] }).runs;
  if (run === undefined) throw new Error('there is no run');
  return run;
}

export function sha256(...parts: readonly Buffer[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
}
