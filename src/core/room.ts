/**
 * How much of a disk is left alone, in bytes, so that what has begun can also be recorded. A run that begins with the
 * larger figure finds the smaller one at its end, whatever it has printed.
 */
const MIB = 1024 ** 2;

/** Output and artifacts stop here: the ledger beside them still has to say how runs ended. */
export const LEFT_FOR_LEDGER = MIB;

/** What has to be free in the state folder, besides the text of the document: its transitions, some output, and what is left alone. */
export const NEEDED_FOR_RUN = 4 * MIB;

/** `reason` of the `RunbookError` that says so of the ledger's disk. */
export const DISK_FULL = 'disk-full';

/** … where the document is, when it gets an entry: 16 KiB, and others write there, too. */
export const NEEDED_FOR_ENTRY = MIB;
