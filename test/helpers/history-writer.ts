/**
 * A process of its own that appends entries: `node history-writer.ts <document> <run id prefix> <how many> <bytes each>`.
 * It prints the message of the first failure.
 */
import { createMarkdownHistory } from '../../src/adapters/document-history/markdown-file.ts';
import { entryOf } from './entries.ts';

const [path = '', prefix = '', count = '0', bytes = '0'] = process.argv.slice(2);
const history = createMarkdownHistory({ ci: false });
const stdout = Buffer.alloc(Number(bytes), 'one line of output\n```\n');
try {
  for (let n = 0; n < Number(count); n += 1) {
    await history.append({ path, hasHistory: true, stamp: '' }, entryOf({ runId: `${prefix}-${n}`, stdout }));
  }
} catch (error) {
  process.stdout.write(error instanceof Error ? error.message : 'thrown');
}
