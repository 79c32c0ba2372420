/**
 * `npm run bench`: all of it, or what is named (`npm run bench -- start output`). Each takes at most a minute. It prints
 * figures and judges nothing: docs/performance.md says how to read them.
 */
import { execaSync } from 'execa';
import { benchExecute } from './execute.ts';
import { benchMasking } from './masking.ts';
import { benchOutput } from './output.ts';
import { benchStart } from './start.ts';

const BENCHES = { start: benchStart, execute: benchExecute, output: benchOutput, masking: benchMasking };

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !Object.hasOwn(BENCHES, name));
if (unknown.length > 0) {
  console.error(
    `There is no bench “${unknown.join(' ')}”. Write ${Object.keys(BENCHES).join(', ')}, or nothing for all.`,
  );
  process.exit(64);
}
execaSync('node', ['scripts/build.ts'], { cwd: `${import.meta.dirname}/..`, preferLocal: true });
console.log(`Node ${process.versions.node}`);
for (const [name, bench] of Object.entries(BENCHES)) if (wanted.length === 0 || wanted.includes(name)) await bench();
