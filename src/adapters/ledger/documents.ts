/** Texts of documents as they are stored. */
import { inflateSync } from 'node:zlib';

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
