/** Whether what is kept of a run's output is what the record says of it. */
import { createHash } from 'node:crypto';
import type { KeptOutput } from './ports.ts';
import type { OutputSummary } from './run.ts';

export const DOES_NOT_FIT = 'does not fit its digest: it was changed or damaged';

export interface OutputCheck {
  /** Every item, in order. */
  take(item: KeptOutput): void;
  /**
   * At the end. Where nothing was dropped the digest decides. Else it cannot, and there have to be as many bytes, and the
   * same sums at their end; a disk that was full may have kept that end away.
   */
  fits(record: OutputSummary): boolean;
}

export function createOutputCheck(): OutputCheck {
  const digest = createHash('sha256');
  let [bytes, dropped] = [0, 0];
  let end: Extract<KeptOutput, { kind: 'end' }> | null = null;
  return {
    take(item) {
      if (item.kind === 'chunk') {
        digest.update(item.bytes);
        bytes += item.bytes.length;
      } else if (item.kind === 'gap') {
        dropped += item.dropped;
      } else {
        end = item;
      }
    },
    fits(record) {
      if (bytes !== record.bytes - record.dropped) return false;
      if (record.dropped === 0) return digest.digest('hex') === record.digest;
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
