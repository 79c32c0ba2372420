/** Where output can be kept, by the name that the setting uses. */
import type { RunOutput } from '../../core/ports.ts';
import { createSpool } from './spool.ts';

export const OUTPUTS: Readonly<Record<'spool', (stateDir: string) => RunOutput>> = { spool: createSpool };
