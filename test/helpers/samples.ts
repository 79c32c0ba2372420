/** Runs the project's documents as a user does: copied into a folder of their own, by name, with a token from a file. */
import { cpSync } from 'node:fs';
import path from 'node:path';
import type { StoredRun } from '../../src/core/run.ts';
import { createHome, REPOSITORY } from './cli.ts';
import type { CliResult, Home } from './cli.ts';

/** 64 hexadecimal characters, as `openssl rand -hex 32` prints them. */
const JWT_SECRET = '5c0e8a1f47b29d3660f1c4a8e7d2b3959f0a6c1d8e4b7235a9c6f0e1d2b38474';

interface Attempt extends CliResult {
  /** What `runbook history RUN --json` tells of the newest run of the runbook. */
  readonly record: StoredRun;
  readonly kept: { readonly stdout: string; readonly stderr: string };
}

export interface Samples extends Home {
  /** Signs a token. @returns the options that give it to `execute` */
  token(...options: readonly string[]): Promise<readonly string[]>;
  execute(name: string, options?: readonly string[], env?: Readonly<Record<string, string>>): Promise<Attempt>;
  record(runId: string): Promise<Pick<Attempt, 'record' | 'kept'>>;
  /** Newest first. */
  runs(): Promise<readonly StoredRun[]>;
}

interface OneRun {
  readonly run: StoredRun;
  readonly output: Attempt['kept'];
}
interface AllRuns {
  readonly runs: readonly StoredRun[];
}

/** @param folder of the repository that holds the documents */
export function copySamples(folder: 'samples/runbooks' | 'samples/cookbook' | 'runbooks'): Samples {
  const home = createHome();
  cpSync(path.join(REPOSITORY, folder), path.join(home.folder, 'runbooks'), { recursive: true });
  const env = { RUNBOOK_JWT_SECRET: JWT_SECRET };

  const samples: Samples = {
    ...home,
    token: async (...options) => {
      const { exitCode, stdout, stderr } = await home.run(['token', 'mint', '--subject', 'anna', ...options], { env });
      if (exitCode !== 0) throw new Error(`no token: ${stderr}`);
      return ['--token-file', home.write('token', stdout)];
    },
    execute: async (name, options = [], more = {}) => {
      const result = await home.run(['execute', name, ...options], { env: { ...env, ...more } });
      const newest = (await samples.runs()).find((run) => run.runbook.name === name);
      if (newest === undefined) throw new Error(`${name} left no record: ${result.stderr}`);
      return { ...result, ...(await samples.record(newest.runId)) };
    },
    record: async (runId) => {
      const { run, output }: OneRun = JSON.parse((await home.run(['history', runId, '--json'])).stdout);
      return { record: run, kept: output };
    },
    runs: async () => {
      const { runs }: AllRuns = JSON.parse((await home.run(['history', '--limit', '100', '--json'])).stdout);
      return runs;
    },
  };
  return samples;
}
