/** Whether what is kept of a run's output is what the record says of it. */
import { createHash } from 'node:crypto';
import type { KeptOutput } from './ports.ts';
import type { LeftOutput, RecordedOutput } from './run.ts';

export const DOES_NOT_FIT = 'does not fit its digest: it was changed or damaged';

export interface OutputCheck {
  /** Every item, in order. */
  take(item: KeptOutput): void;
  /**
   * At the end. Where nothing was dropped the digest decides. Else it cannot, and there have to be as many bytes, and the
   * same sums at their end; a disk that was full may have kept that end away. Of an interrupted run the digest is that of
   * what lay there. Nothing may follow the end, nor, of a run that has ended, what is no piece of an output.
   */
  fits(record: RecordedOutput): boolean;
  /** What there is of it, as the record of an interruption tells it. */
  left(): LeftOutput;
}

export function createOutputCheck(): OutputCheck {
  const digest = createHash('sha256');
  let [bytes, dropped] = [0, 0];
  let end: Extract<KeptOutput, { kind: 'end' }> | null = null;
  let hasForeign = false;
  let sum: string | null = null;
  const digestOf = (): string => (sum ??= digest.digest('hex'));
  return {
    take(item) {
      if (item.kind === 'chunk') {
        digest.update(item.bytes);
        bytes += item.bytes.length;
      } else if (item.kind === 'gap') {
        dropped += item.dropped;
      } else if (item.kind === 'end') {
        end = item;
      } else {
        hasForeign = true;
      }
    },
    left: () => ({ bytes, digest: digestOf() }),
    fits(record) {
      // A runner that was killed may have left half a frame: that was no end.
      if (!('dropped' in record))
        return bytes === record.bytes && digestOf() === record.digest && (end === null || !hasForeign);
      if (hasForeign) return false;
      if (bytes !== record.bytes - record.dropped) return false;
      if (record.dropped === 0) return digestOf() === record.digest;
      if (end === null) return dropped === 0;
      const { summary } = end;
      return (
        dropped === record.dropped &&
        summary !== null &&
        summary.bytes === record.bytes &&
        summary.dropped === record.dropped &&
        summary.digest === record.digest
      );
    },
  };
}
