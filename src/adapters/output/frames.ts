/**
 * The form of a spool file: frames one after the other, each with a checksum, so that a file that a crash has torn
 * (short, or zeros where data never arrived) is read up to its last whole frame.
 *
 *     offset  size  field (numbers are big-endian)
 *          0     4  "RBF1"
 *          4     4  CRC-32 of everything behind it
 *          8     8  sequence, counts from 0 over the whole run
 *         16     4  length of the payload in bytes, at most 1 MiB
 *         20     2  step, counts from 0
 *         22     1  kind: 1 stdout, 2 stderr, 3 gap (payload: dropped bytes, 8 bytes), 4 end (payload: summary as JSON)
 *         23     1  zero
 *         24     …  payload
 */
import { crc32 } from 'node:zlib';

const MAGIC = Buffer.from('RBF1');
const HEADER_BYTES = 24;
/** A damaged length must not make a reader ask for gigabytes. */
export const MAX_PAYLOAD_BYTES = 1024 ** 2;
const READ_BYTES = 256 * 1024;

const KINDS = ['stdout', 'stderr', 'gap', 'end'] as const;

export interface Frame {
  readonly kind: (typeof KINDS)[number];
  readonly sequence: number;
  readonly step: number;
  readonly payload: Buffer;
}

/** Header and payload, to be written together: a copy of every byte of output would be garbage at once. */
export function encodeFrame({ kind, sequence, step, payload }: Frame): readonly [header: Buffer, payload: Buffer] {
  const header = Buffer.alloc(HEADER_BYTES);
  MAGIC.copy(header);
  header.writeBigUInt64BE(BigInt(sequence), 8);
  header.writeUInt32BE(payload.length, 16);
  header.writeUInt16BE(step, 20);
  header.writeUInt8(KINDS.indexOf(kind) + 1, 22);
  header.writeUInt32BE(crc32(payload, crc32(header.subarray(8))), 4);
  return [header, payload];
}

/**
 * The whole frames at the beginning of a file, up to the first damaged one, or the one that ends an output. All are read
 * into one buffer: a payload holds until the next frame is asked for.
 * @param read fills the beginning of a buffer with the next bytes of the file; how many, 0 at its end
 * @returns whether all that was read is those frames: behind an `end` nothing more is read
 */
export async function* readFrames(read: (into: Buffer) => Promise<number>): AsyncGenerator<Frame, boolean> {
  let buffer = Buffer.allocUnsafeSlow(READ_BYTES);
  let [from, to] = [0, 0];
  for (;;) {
    const length = frameLength(buffer.subarray(from, to));
    if (length === null) return false;
    if (length > to - from) {
      const larger = length > buffer.length ? Buffer.allocUnsafeSlow(length) : buffer;
      buffer.copy(larger, 0, from, to);
      [buffer, from, to] = [larger, 0, to - from];
      const count = await read(buffer.subarray(to));
      if (count === 0) return from === to;
      to += count;
      continue;
    }
    const frame = decodeFrame(buffer.subarray(from, from + length));
    if (frame === null) return false;
    yield frame;
    from += length;
    if (frame.kind === 'end') return from === to;
  }
}

/** Bytes of the frame at the beginning, of its header while that is not there; null where there is none. */
function frameLength(bytes: Buffer): number | null {
  if (bytes.length < HEADER_BYTES) return HEADER_BYTES;
  const payload = bytes.readUInt32BE(16);
  return payload <= MAX_PAYLOAD_BYTES && MAGIC.equals(bytes.subarray(0, 4)) ? HEADER_BYTES + payload : null;
}

function decodeFrame(bytes: Buffer): Frame | null {
  const kind = KINDS[bytes.readUInt8(22) - 1];
  if (kind === undefined || crc32(bytes.subarray(8)) !== bytes.readUInt32BE(4)) return null;
  return {
    kind,
    sequence: Number(bytes.readBigUInt64BE(8)),
    step: bytes.readUInt16BE(20),
    payload: bytes.subarray(HEADER_BYTES),
  };
}
