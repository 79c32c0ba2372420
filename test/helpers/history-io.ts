/**
 * A process of its own that counts what it reads and writes, in bytes, and its peak memory, in KiB:
 * `node history-io.ts append|has <document> <run id> <changed|same>`. Prints JSON. Needs Linux.
 */
import { readFileSync, statSync } from 'node:fs';
import { createMarkdownHistory } from '../../src/adapters/document-history/markdown-file.ts';
import { stampOf } from '../../src/adapters/system/stamp.ts';
import { entryOf } from './entries.ts';

const [what, path = '', runId = '', since] = process.argv.slice(2);
const history = createMarkdownHistory({ ci: false });
const stamp = since === 'changed' ? '' : stampOf(statSync(path, { bigint: true }));
const before = counted();
let answer: boolean | null = null;
if (what === 'append') await history.append({ path, hasHistory: true, stamp }, entryOf({ runId }));
else answer = await history.has(path, runId);
const after = counted();
const peakKib = Number(/VmHWM:\s*(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]);
console.log(
  JSON.stringify({ answer, read: after.read - before.read, written: after.written - before.written, peakKib }),
);

/** What system calls of this process have moved, also from and to caches. */
function counted(): { readonly read: number; readonly written: number } {
  const io = readFileSync('/proc/self/io', 'utf8');
  const member = (name: string): number => Number(new RegExp(`^${name}: (\\d+)`, 'm').exec(io)?.[1]);
  return { read: member('rchar'), written: member('wchar') };
}
