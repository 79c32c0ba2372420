/**
 * Compiled code of the program, kept from one process to the next. Node's own cache (`module.enableCompileCache`) holds what
 * is compiled when a file is loaded, and that is next to nothing of it: functions are compiled when they are first called.
 * What is kept here is made when a process ends, with all that it has called (ADR 60).
 */
import {
  closeSync,
  fsyncSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { Script } from 'node:vm';
import { crc32 } from 'node:zlib';
import { VERSION } from '../version.ts';

/** Another installation may still use it; whoever misses it makes it anew. */
const UNUSED_MS = 7 * 24 * 3_600_000;

/** Of the checksum before the code: V8 looks at the length of what it is given, and trusts the rest. */
const HEAD = 4;

type Module = { exports: unknown };
type Wrapper = (exports: unknown, require: NodeJS.Require, module: Module, filename: string, dirname: string) => void;

/**
 * @param file a CommonJS module of ASCII characters
 * @param folder where compiled code lies, which nobody else can write to; null: none is used or kept
 * @param name what is called in this process, as far as it is known: each needs other parts
 * @returns its exports
 */
export function loadCompiled(file: string, folder: string | null, name: string): unknown {
  const source = `(function(exports,require,module,__filename,__dirname){${readFileSync(file, 'latin1')}\n})`;
  const kept = folder === null ? null : path.join(folder, keptName(file, name));
  const cachedData = kept === null ? undefined : readKept(kept);
  const script = new Script(source, { filename: file, ...(cachedData === undefined ? {} : { cachedData }) });
  if (kept !== null && (cachedData === undefined || script.cachedDataRejected === true)) {
    process.once('exit', (code) => {
      if (code === 0) keep(kept, script);
    });
  }
  const module: Module = { exports: {} };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it is written above
  const wrapper = script.runInThisContext() as Wrapper;
  wrapper(module.exports, createRequire(file), module, file, path.dirname(file));
  return module.exports;
}

/** Another version of the program, of Node or of the file has another name. */
function keptName(file: string, name: string): string {
  const { size, ctimeMs, ino } = statSync(file);
  const stamp = [size, Math.trunc(ctimeMs), ino].map((number) => number.toString(36)).join('-');
  return `${name}-${VERSION}-${process.version}-${process.arch}-${stamp}`;
}

function readKept(file: string): Buffer | undefined {
  try {
    const bytes = readFileSync(file);
    const code = bytes.subarray(HEAD);
    return bytes.length > HEAD && bytes.readUInt32LE(0) === crc32(code) ? code : undefined;
  } catch {
    return undefined;
  }
}

/** Whole or not at all, and silently: it is the next start that would be faster. */
function keep(file: string, script: Script): void {
  const draft = `${file}.${process.pid}`;
  try {
    const code = script.createCachedData();
    const head = Buffer.alloc(HEAD);
    head.writeUInt32LE(crc32(code));
    const descriptor = openSync(draft, 'wx', 0o600);
    try {
      writeFileSync(descriptor, Buffer.concat([head, code]));
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    renameSync(draft, file);
    removeOld(file);
  } catch {
    rmSync(draft, { force: true });
  }
}

/** Of the same command: an update leaves the code of the version before. */
function removeOld(file: string): void {
  const folder = path.dirname(file);
  const [command = ''] = path.basename(file).split('-');
  for (const name of readdirSync(folder)) {
    const other = path.join(folder, name);
    if (!name.startsWith(`${command}-`) || other === file) continue;
    if (Date.now() - statSync(other).mtimeMs > UNUSED_MS) rmSync(other, { force: true });
  }
}
