/** Loaded into a server: at SIGUSR2 it collects its garbage and writes the bytes that are left into the file of HEAP_PROBE. */
import { renameSync, writeFileSync } from 'node:fs';

process.on('SIGUSR2', () => {
  for (let times = 0; times < 3; times += 1) globalThis.gc();
  writeFileSync(`${process.env.HEAP_PROBE}.part`, String(process.memoryUsage().heapUsed));
  renameSync(`${process.env.HEAP_PROBE}.part`, process.env.HEAP_PROBE);
});
