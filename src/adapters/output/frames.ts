/**
 * The form of a spool file: frames one after the other, each with a checksum, so that a file that a crash has torn
 * (short, or zeros where data never arrived) is read up to its last whole frame.
 *
 *     offset  size  field (numbers are big-endian)
 *          0     4  "RBF1"
 *          4     4  CRC-32 of everything behind it
 *          8     8  sequence, counts from 0 over the whole run
 *         16     4  length of the payload in bytes
 *         20     2  step, counts from 0
 *         22     1  kind: 1 stdout, 2 stderr, 3 gap (payload: dropped bytes, 8 bytes), 4 end (payload: summary as JSON)
 *         23     1  zero
 *         24     …  payload
 */
import { crc32 } from 'node:zlib';

const MAGIC = Buffer.from('RBF1');
const HEADER_BYTES = 24;

const KINDS = ['stdout', 'stderr', 'gap', 'end'] as const;

export interface Frame {
  readonly kind: (typeof KINDS)[number];
  readonly sequence: number;
  readonly step: number;
  readonly payload: Buffer;
}

export function encodeFrame({ kind, sequence, step, payload }: Frame): Buffer {
  const frame = Buffer.alloc(HEADER_BYTES + payload.length);
  MAGIC.copy(frame);
  frame.writeBigUInt64BE(BigInt(sequence), 8);
  frame.writeUInt32BE(payload.length, 16);
  frame.writeUInt16BE(step, 20);
  frame.writeUInt8(KINDS.indexOf(kind) + 1, 22);
  payload.copy(frame, HEADER_BYTES);
  frame.writeUInt32BE(crc32(frame.subarray(8)), 4);
  return frame;
}

/** The whole frames at the beginning of `bytes`; what follows the first damaged one is not looked at. */
export function* decodeFrames(bytes: Buffer): Generator<Frame> {
  let at = 0;
  while (bytes.length - at >= HEADER_BYTES) {
    const end = at + HEADER_BYTES + bytes.readUInt32BE(at + 16);
    const kind = KINDS[bytes.readUInt8(at + 22) - 1];
    const whole =
      end <= bytes.length &&
      kind !== undefined &&
      MAGIC.equals(bytes.subarray(at, at + 4)) &&
      crc32(bytes.subarray(at + 8, end)) === bytes.readUInt32BE(at + 4);
    if (!whole) return;
    yield {
      kind,
      sequence: Number(bytes.readBigUInt64BE(at + 8)),
      step: bytes.readUInt16BE(at + 20),
      payload: bytes.subarray(at + HEADER_BYTES, end),
    };
    at = end;
  }
}
