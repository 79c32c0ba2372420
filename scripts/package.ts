/**
 * `npm run package`: an archive for Linux in which `bin/runbook` works without Node or npm, and its SHA-256 beside it.
 * `-- --out FOLDER` says where to (default: the folder where it is called). The same bundle gives the same bytes: sorted names,
 * one time, one owner, and gzip as this project's Node has it. Where it fails or is stopped nothing stays behind. `--level 1` is
 * for tests: a tenth larger in half the time.
 */
import { createHash } from 'node:crypto';
import {
  createReadStream,
  createWriteStream,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import { createGzip } from 'node:zlib';
import { execa } from 'execa';
import { assemble } from './package/contents.ts';

/** Of every file, unless `SOURCE_DATE_EPOCH` names another: that which npm gives to its packages (tar doubts that of 1970). */
const NO_TIME = '499162500';

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};
const name = `runbook-${version}-linux-${process.arch}`;
const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stop.abort());

let place: string | null = null;
try {
  const { values } = parseArgs({
    options: { out: { type: 'string', default: '.' }, level: { type: 'string', default: '6' } },
  });
  const out = path.resolve(values.out);
  mkdirSync(out, { recursive: true });
  // Beside where it is to be, so that it arrives there in one step.
  place = mkdtempSync(path.join(out, '.package-'));
  const folder = path.join(place, name);
  mkdirSync(folder);
  await assemble(folder, stop.signal);
  const archive = path.join(place, `${name}.tar.gz`);
  await pack(folder, archive, Number(values.level));
  const { digest, bytes } = await digestOf(archive);
  writeFileSync(`${archive}.sha256`, `${digest}  ${name}.tar.gz\n`);
  stop.signal.throwIfAborted();
  for (const file of [`${name}.tar.gz`, `${name}.tar.gz.sha256`])
    renameSync(path.join(place, file), path.join(out, file));
  console.log(`${path.join(values.out, `${name}.tar.gz`)}\n${(bytes / 2 ** 20).toFixed(1)} MiB\nsha256 ${digest}`);
} catch (error) {
  console.error(
    stop.signal.aborted
      ? 'package: it was stopped'
      : `package: ${error instanceof Error ? error.message : String(error)}`,
  );
  process.exitCode = 1;
} finally {
  if (place !== null) rmSync(place, { recursive: true, force: true });
}

async function pack(folder: string, archive: string, level: number): Promise<void> {
  const time = process.env['SOURCE_DATE_EPOCH'] ?? NO_TIME;
  const tar = execa(
    'tar',
    [
      '--create',
      '--format=ustar',
      '--sort=name',
      `--mtime=@${time}`,
      '--owner=0',
      '--group=0',
      '--numeric-owner',
      `--directory=${path.dirname(folder)}`,
      path.basename(folder),
    ],
    { buffer: false, cancelSignal: stop.signal, env: { LC_ALL: 'C' } },
  );
  // What is written must be all: the archive counts only when tar says that it has ended well.
  await Promise.all([
    pipeline(tar.stdout, createGzip({ level }), createWriteStream(archive), { signal: stop.signal }),
    tar,
  ]);
}

async function digestOf(file: string): Promise<{ readonly digest: string; readonly bytes: number }> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) {
    hash.update(chunk);
    bytes += chunk.byteLength;
  }
  return { digest: hash.digest('hex'), bytes };
}
