/** `validate --fix`: mechanical repairs, done or only shown. */
import type { App } from '../../../app.ts';
import { RunbookError } from '../../../core/errors.ts';
import type { LoadedDocument } from '../../../core/ports.ts';
import type { Problem } from '../../../core/runbook.ts';
import { unifiedDiff } from '../../../core/unified-diff.ts';
import { withoutCommands } from '../../../core/workflow-commands.ts';
import { validateDocument, validateRunbook } from '../../../engine/queries.ts';
import type { Validation } from '../../../engine/queries.ts';
import { carryOutRepair, planRepair, repairOf } from '../../../engine/repair.ts';
import type { Repair } from '../../../engine/repair.ts';
import { printable } from '../../render.ts';
import type { Terminal } from '../../terminal.ts';
import { isActionsJob } from './workspace.ts';

export interface Repaired {
  /** Of what is left. */
  readonly validation: Validation;
  readonly fixed: readonly Problem[];
  /** As bytes for patch(1); empty where nothing is repaired. */
  readonly difference: Buffer;
}

/** @param isDry nothing is written. @throws RunbookError `io`, `busy` where a document cannot be written */
export async function repair(app: App, reference: string, isReady: boolean, isDry: boolean): Promise<Repaired> {
  let plan: Repair;
  try {
    plan = await planRepair(app, reference);
  } catch (error) {
    if (!(error instanceof RunbookError)) throw error;
    // What cannot be read is a problem like any other.
    return { validation: await validateRunbook(app, reference, isReady), fixed: [], difference: Buffer.alloc(0) };
  }
  if (!isDry) await carryOutRepair(app.documentWriter, plan);
  return await afterRepair(app, plan, isReady, isDry);
}

/** Of a document that lies nowhere: where it is not only shown, it is printed as it is afterwards, also where it stays as it is. */
export async function repairThrough(
  app: App,
  terminal: Terminal,
  loaded: LoadedDocument,
  isReady: boolean,
  isDry: boolean,
): Promise<Repaired> {
  const plan = repairOf(app, loaded);
  // On a terminal what strangers wrote is made visible; a pipe gets the bytes.
  const shown = terminal.isReadByPerson ? printable(Buffer.from(plan.bytes).toString()) : plan.bytes;
  if (!isDry) await terminal.print(shown);
  return await afterRepair(app, plan, isReady, isDry);
}

async function afterRepair(app: App, plan: Repair, isReady: boolean, isDry: boolean): Promise<Repaired> {
  const { document, bytes, fixed } = plan;
  const text = (of: Uint8Array): string => Buffer.from(of).toString('latin1');
  const difference = isDry ? unifiedDiff(nameOf(document.displayPath), text(document.bytes), text(bytes)) : '';
  return {
    validation: await validateDocument(app, { ...document, bytes: Buffer.from(bytes) }, isReady),
    fixed,
    difference: Buffer.from(difference, 'latin1'),
  };
}

/**
 * On a terminal what strangers wrote is made visible, and in a job of GitHub Actions it is no command; elsewhere the bytes can
 * be applied as they are.
 */
export async function printDifference(terminal: Terminal, { difference }: Repaired): Promise<void> {
  if (difference.length === 0) return;
  const isJob = isActionsJob(terminal);
  if (!terminal.isReadByPerson && !isJob) {
    await terminal.print(difference);
    return;
  }
  const lines = printable(difference.toString()).split('\n');
  await terminal.print((isJob ? lines.map(withoutCommands) : lines).join('\n'));
}

function nameOf(shown: string): string {
  return Buffer.from(shown.replace(/^(?:\.?\/)+/, '')).toString('latin1');
}
