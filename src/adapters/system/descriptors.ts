/**
 * Files by descriptor. A path is looked up anew at every call, and whoever owns a folder on the way may have changed it
 * in between; a descriptor stays with what was opened. Node has no `openat`, but on Linux `/proc/self/fd/N/name` is one.
 *
 * Names are byte strings here (`latin1`, one character a byte), since a name of a file need not be UTF-8.
 */
import { closeSync, constants, existsSync, fstatSync, openSync, readFileSync } from 'node:fs';
import type { BigIntStats } from 'node:fs';
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';

const DESCRIPTORS = '/proc/self/fd';

/** Of Linux, on all its architectures that Node knows; not among Node's constants. */
export const O_PATH = 0o10000000;

/** Whether this system has them. macOS and others have not; callers then go by path, as safely as paths allow. */
export function hasDescriptors(): boolean {
  return process.platform === 'linux' && existsSync(DESCRIPTORS);
}

export interface Descriptor {
  readonly fd: number;
}

/** Path of what a descriptor stands for, for calls that take only paths. */
export function self({ fd }: Descriptor): string {
  return `${DESCRIPTORS}/${fd}`;
}

/** Path of `name` in the folder that a descriptor stands for. */
export function at({ fd }: Descriptor, name: string): Buffer {
  return Buffer.from(`${DESCRIPTORS}/${fd}/${name}`, 'latin1');
}

/** Something that is there: its descriptor, which gives no right to read, and what it is. */
export interface OpenedEntry {
  readonly handle: Descriptor;
  readonly facts: BigIntStats;
}

export interface Entry extends OpenedEntry {
  readonly handle: FileHandle;
}

/** Opens whatever has this name: a link itself, a FIFO without waiting, a device without waking it. @throws system errors */
export async function openEntry(path: string | Buffer): Promise<Entry> {
  const handle = await open(path, O_PATH | constants.O_NOFOLLOW);
  try {
    return { handle, facts: await handle.stat({ bigint: true }) };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** As `openEntry`; to be closed with `closeSync`. */
export function openEntrySync(path: string | Buffer): OpenedEntry {
  const fd = openSync(path, O_PATH | constants.O_NOFOLLOW);
  try {
    return { handle: { fd }, facts: fstatSync(fd, { bigint: true }) };
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/** For reading, the very file that the descriptor stands for. @throws system errors */
export async function reopen(handle: FileHandle): Promise<FileHandle> {
  return await open(self(handle), constants.O_RDONLY | constants.O_NONBLOCK);
}

/** Tells one file from every other, as long as it exists. */
export function identityOf({ dev, ino }: BigIntStats): string {
  return `${dev}-${ino}`;
}

/** Tells mounts apart, also two of the same file system. Read synchronously: the kernel answers from memory. */
export function mountOf({ handle, facts }: OpenedEntry): string {
  try {
    const [, id] = /^mnt_id:\s*(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${handle.fd}`, 'latin1')) ?? [];
    return id ?? String(facts.dev);
  } catch {
    return String(facts.dev);
  }
}

export function rawName(text: string): string {
  return Buffer.from(text).toString('latin1');
}

/** A name for a message, on one line. */
export function shownName(raw: string): string {
  return Buffer.from(raw, 'latin1')
    .toString()
    .replaceAll(/\p{Cc}/gu, '\uFFFD');
}

/** What a system call says of itself, without the path that it was given: `permission denied`. */
export function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return /^E[A-Z0-9]+: ([^,]+)/.exec(text)?.[1] ?? text;
}
