/**
 * `npm run bench`: all of it, or what is named (`npm run bench -- start output`). Each takes at most a minute or two. It
 * prints figures and judges nothing: bench/README.md says how to read them. `ledger=1000000` makes a larger ledger.
 */
import { execaSync } from 'execa';
import { benchDocuments } from './documents.ts';
import { benchExecute } from './execute.ts';
import { benchLedger } from './ledger.ts';
import { benchMasking } from './masking.ts';
import { benchOutput } from './output.ts';
import { benchStart } from './start.ts';

const BENCHES: Readonly<Record<string, (size?: number) => Promise<void> | void>> = {
  start: benchStart,
  execute: benchExecute,
  documents: benchDocuments,
  output: benchOutput,
  masking: benchMasking,
  ledger: benchLedger,
};

/** Name, and what stands behind its `=`. */
const wanted = new Map(process.argv.slice(2).map((word) => [word.split('=')[0] ?? '', word.split('=')[1]]));
const unknown = [...wanted.keys()].filter((name) => !Object.hasOwn(BENCHES, name));
if (unknown.length > 0) {
  console.error(
    `There is no bench “${unknown.join(' ')}”. Write ${Object.keys(BENCHES).join(', ')}, or nothing for all.`,
  );
  process.exit(64);
}
execaSync('node', ['scripts/build.ts'], { cwd: `${import.meta.dirname}/..`, preferLocal: true });
console.log(`Node ${process.versions.node}`);
for (const [name, bench] of Object.entries(BENCHES)) {
  const size = wanted.get(name);
  if (wanted.size === 0 || wanted.has(name)) await bench(...(size === undefined ? [] : [Number(size)]));
}
