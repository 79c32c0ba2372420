/** A process of its own that writes a record: `node record-writer.ts <file>`. */
import { prepareRecordFile } from '../../src/cli/record-file.ts';

const [file = ''] = process.argv.slice(2);
const record = await prepareRecordFile(file, '/');
await record.write(
  (async function* () {
    yield '{}\n';
  })(),
);
