/** A process that looks after the runs of a folder: `node recoverer.ts <folder>`. */
import { recover } from '../../src/engine/recover.ts';
import { recoveryPorts } from './recovery.ts';

const ports = recoveryPorts(process.argv[2] ?? '');
process.stdout.write('ready\n');
await recover(ports, async (warning) => {
  process.stdout.write(`${warning}\n`);
});
ports.ledger.close();
