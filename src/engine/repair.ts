/** Mechanical repairs of documents: what would be repaired, and doing it. */
import { fixDocument } from '../core/fix.ts';
import type { DocumentWriter, LoadedDocument } from '../core/ports.ts';
import type { Problem } from '../core/runbook.ts';
import { dayOf } from './document.ts';
import type { EnginePorts } from './ports.ts';

export interface Repair {
  readonly document: LoadedDocument;
  /** As it is, or would be, afterwards; the same bytes where nothing can be repaired. */
  readonly bytes: Uint8Array;
  readonly fixed: readonly Problem[];
}

/** What would be done. @throws RunbookError as `load` of the source */
export async function planRepair(ports: Pick<EnginePorts, 'source' | 'clock'>, reference: string): Promise<Repair> {
  return repairOf(ports, await ports.source.load(reference, 'whole'));
}

/** The same of a document that is loaded already, whole. */
export function repairOf({ clock }: Pick<EnginePorts, 'clock'>, document: LoadedDocument): Repair {
  const { fileName } = document;
  return { document, ...fixDocument(document.bytes, { fileName, today: dayOf(clock) }) };
}

/** Does it. @throws RunbookError as `replace` of the writer */
export async function carryOutRepair(writer: DocumentWriter, { document, bytes, fixed }: Repair): Promise<void> {
  if (fixed.length > 0) await writer.replace(document, bytes);
}
