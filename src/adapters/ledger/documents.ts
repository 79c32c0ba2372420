/** Texts of documents as they are stored. */
import { hash } from 'node:crypto';
import { deflateSync, inflateSync } from 'node:zlib';
import type Database from 'better-sqlite3';

export interface StoredText {
  /** Bytes, before they were compressed. */
  readonly size: number;
  readonly text: Buffer;
}

/** Null where the stored bytes are not what was stored. */
export function unpack({ size, text }: StoredText): Buffer | null {
  try {
    return inflateSync(text, { maxOutputLength: Math.max(size, 1) });
  } catch {
    return null;
  }
}

/** Keeps each text once, under its digest. @throws TypeError where that is another one */
export function createTextKeeper(db: Database.Database): (digest: string | null, text: Buffer) => void {
  const has = db.prepare<[string], number>('SELECT 1 FROM documents WHERE digest = ?').pluck();
  const keep = db.prepare<[string, number, Buffer]>('INSERT INTO documents VALUES (?, ?, ?)');
  return (digest, text) => {
    if (digest !== sha256(text)) throw new TypeError('the text of a document is kept under its own digest only');
    if (has.get(digest) === undefined) keep.run(digest, text.length, deflateSync(text));
  };
}

/** Lower-case hex. */
export function sha256(bytes: Buffer): string {
  return hash('sha256', bytes);
}
