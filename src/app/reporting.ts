/** What records are sent with; loaded only where a command sends any. */
import path from 'node:path';
import { createCentralRecord } from '../adapters/central-record/http.ts';
import { createOutbox } from '../adapters/outbox/folder.ts';
import type { RunLedger } from '../core/ports.ts';
import type { ReportPorts } from '../engine/report.ts';

export function reportPorts(stateDir: string, ledger: RunLedger): ReportPorts {
  return { ledger, outbox: createOutbox(stateDir), centralRecord: createCentralRecord() };
}

/** Where refused ones lie, for messages. */
export function refusedFolder(stateDir: string): string {
  return path.join(stateDir, 'outbox', 'refused');
}
