/** Rehearses the cookbook as a reader does: with its own stand-ins, in a small world of its own. */
import { existsSync, mkdtempSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { execaSync } from 'execa';
import { copySamples } from './samples.ts';
import type { Samples } from './samples.ts';

/** What the world is asked for: a name without a value comes from the environment. */
type Variables = Readonly<Record<string, string>>;

export interface Cookbook extends Samples {
  /** Folder of the world. */
  readonly world: string;
  readonly stubs: string;
  rehearse(name: string, variables: Variables, options?: readonly string[]): ReturnType<Samples['execute']>;
  /** The options of a rehearsal, for whoever starts it otherwise. */
  options(variables: Variables): readonly string[];
  /** What the stand-ins were asked, in order. */
  calls(): readonly string[];
  /** Of the newest run. */
  artifact(file: string): Promise<string>;
}

/** A secret may not be on a command line; what the runbooks ask for as one is taken from the environment. */
export const SECRETS: Variables = { PGPASSWORD: 'correct-horse-9', KEYS_TOKEN: 'tok-battery-staple' };

export function openCookbook(): Cookbook {
  const samples = copySamples('samples/cookbook');
  const world = mkdtempSync(path.join(samples.folder, 'world-'));
  const stubs = path.join(samples.folder, 'runbooks/stubs');
  execaSync('bash', [path.join(stubs, 'make-world.sh'), world]);
  const options = (variables: Variables): readonly string[] => [
    ...Object.entries({ STUB_WORLD: world, ...variables }).flatMap(([name, value]) => [
      '--env',
      name in SECRETS ? name : `${name}=${value}`,
    ]),
    '--stubs',
    stubs,
  ];
  return {
    ...samples,
    world,
    stubs,
    options,
    rehearse: async (name, variables, more = ['--yes']) =>
      await samples.execute(name, [...options(variables), ...more], SECRETS),
    calls: () => {
      const file = path.join(world, 'calls');
      return existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n') : [];
    },
    artifact: async (file) => (await samples.run(['history', 'last', '--artifact', file])).stdout,
  };
}
