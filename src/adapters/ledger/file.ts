/** What the parts of the SQLite ledger share: the open file, its transactions, and the end of the chain. */
import { statfsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type Database from 'better-sqlite3';
import type { ChainLink } from '../../core/chain.ts';
import { canonicalJson, chainHash, GENESIS } from '../../core/chain.ts';
import { RunbookError } from '../../core/errors.ts';
import { codeOf } from '../../core/failures.ts';
import { LEFT_FOR_LEDGER } from '../../core/room.ts';
import type { RunOwner } from '../../core/run.ts';
import { freeBytesOf } from '../system/free-bytes.ts';
import { BUSY_TIMEOUT_MS, withLedgerErrors } from './database.ts';

/** While this process waits for a lock it does nothing else, so what comes again by itself does not wait. */
export const NO_PATIENCE = 0;
/** For what is seldom and comes again all the same. */
export const A_MOMENT_MS = 250;

/** `patienceMs`: how long a lock of another process is waited for, where it is not as long as always. */
export interface LedgerFile {
  readonly path: string;
  readonly db: Database.Database;
  readonly isGone: (owner: RunOwner, leaseUntil: string | null) => boolean;
  /**
   * One durable transaction. @throws RunbookError `io` (also where another file is in its place by now: nothing is
   * committed then), `busy`, `unavailable`
   */
  change<T>(work: () => T, patienceMs?: number): T;
  /** As `change`, but nothing of it stays. */
  tryChange(work: () => void, patienceMs?: number): void;
  /** As `change`, for what has to be said: where the disk is full, emptying the write-ahead log makes room. */
  changeOnFullDisk<T>(work: () => T, patienceMs?: number): T;
  /** @throws RunbookError `io`, `busy`, `unavailable` */
  ask<T>(work: () => T, patienceMs?: number): T;
  /** A write that may be lost with the machine, but not with the process: not synced. @throws as `change` */
  note<T>(work: () => T, patienceMs?: number): T;
  /** Appends one link within a transaction. `facts` is what is new in it. @returns its number */
  append(id: string, state: string, at: string, facts: object): number;
}

/** @param isAsked whether it is only to be read: then every write of it is a bug */
export function openFile(
  path: string,
  db: Database.Database,
  isGone: LedgerFile['isGone'],
  isAsked = false,
): LedgerFile {
  const last = db.prepare<[], { seq: number; hash: string }>(
    'SELECT seq, hash FROM transitions ORDER BY seq DESC LIMIT 1',
  );
  const append = db.prepare<[ChainLink]>(
    'INSERT INTO transitions VALUES (@seq, @runId, @state, @at, @record, @prev, @hash)',
  );
  // Each setting of it is a statement that is compiled anew, so it stays as it is until the other one is needed.
  let busyTimeoutMs = BUSY_TIMEOUT_MS;
  const setBusyTimeout = (ms: number): void => {
    if (ms === busyTimeoutMs) return;
    db.pragma(`busy_timeout = ${ms}`);
    busyTimeoutMs = ms;
  };
  const withPatience = <T>(patienceMs: number, work: () => T): T =>
    withLedgerErrors(path, () => {
      setBusyTimeout(0);
      return whileBusy(patienceMs, work);
    });
  const withSqlitesPatience = <T>(work: () => T): T =>
    withLedgerErrors(path, () => {
      setBusyTimeout(BUSY_TIMEOUT_MS);
      return work();
    });
  if (isAsked) return onlyAsked(path, db, isGone);
  const opened = identityOf(path);
  // Made once: each `db.transaction` makes four functions.
  const transaction = db.transaction((work: () => unknown): unknown => work());
  // It gives what `work` gives.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const inTransaction = <T>(work: () => T): T => transaction.immediate(work) as T;
  const commit = <T>(work: () => T): T =>
    inTransaction(() => {
      const result = work();
      // What is written into a file without a name is gone with this process, and nobody would know.
      if (opened === null || identityOf(path) !== opened) throw notInPlace(path);
      return result;
    });
  return {
    path,
    db,
    isGone,
    change: (work, patienceMs = BUSY_TIMEOUT_MS) => withPatience(patienceMs, () => commit(work)),
    tryChange: (work, patienceMs = BUSY_TIMEOUT_MS) => {
      withPatience(patienceMs, () => {
        try {
          commit(() => {
            work();
            if (identityOf(path) !== opened) throw notInPlace(path);
            throw new TakenBack();
          });
        } catch (error) {
          if (!(error instanceof TakenBack)) throw error;
        }
      });
    },
    changeOnFullDisk: (work, patienceMs = BUSY_TIMEOUT_MS) =>
      withPatience(patienceMs, () => {
        // Before it is tried, too: what fails in the middle has taken the room that emptying the log needs.
        if ((freeBytesOf(statfsSync(dirname(path))) ?? Infinity) < LEFT_FOR_LEDGER) emptyLog(db);
        try {
          return commit(work);
        } catch (error) {
          if (codeOf(error) !== 'SQLITE_FULL') throw error;
          emptyLog(db);
          return commit(work);
        }
      }),
    ask: (work, patienceMs) => (patienceMs === undefined ? withSqlitesPatience(work) : withPatience(patienceMs, work)),
    note: (work, patienceMs = BUSY_TIMEOUT_MS) =>
      withPatience(patienceMs, () => {
        db.pragma('synchronous = NORMAL');
        try {
          return inTransaction(work);
        } finally {
          db.pragma('synchronous = FULL');
        }
      }),
    append: (runId, state, at, facts) => {
      const before = last.get();
      const seq = (before?.seq ?? 0) + 1;
      const prev = before?.hash ?? GENESIS;
      const record = canonicalJson({ ...facts, seq, runId, state, at });
      append.run({ seq, runId, state, at, record, prev, hash: chainHash(prev, record) });
      return seq;
    },
  };
}

function onlyAsked(path: string, db: Database.Database, isGone: LedgerFile['isGone']): LedgerFile {
  const refuse = (): never => {
    throw new TypeError(`the ledger ${path} is only asked here`);
  };
  const ask: LedgerFile['ask'] = (work) => withLedgerErrors(path, work);
  return {
    path,
    db,
    isGone,
    ask,
    change: refuse,
    changeOnFullDisk: refuse,
    tryChange: refuse,
    note: refuse,
    append: refuse,
  };
}

/** Ends a transaction that was only tried. */
class TakenBack extends Error {}

/** Tells this file from any other; null where there is none. @throws Error of the system */
function identityOf(path: string): string | null {
  const found = statSync(path, { bigint: true, throwIfNoEntry: false });
  return found === undefined ? null : `${found.dev} ${found.ino}`;
}

function notInPlace(path: string): RunbookError {
  return new RunbookError('io', `The ledger ${path} was removed or replaced while it was in use.`, {
    fix: 'Find out by whom; what is there now, or a backup, shows what was recorded.',
  });
}

/** Its pages take their places in the file, most of which are there already. */
function emptyLog(db: Database.Database): void {
  try {
    db.pragma('wal_checkpoint(TRUNCATE)');
  } catch {
    // The disk may be too full for that as well: the transition itself says so.
  }
}

const MAX_PAUSE_MS = 8;
const sleeper = new Int32Array(new SharedArrayBuffer(4));

/**
 * Tries again until it is let in. SQLite's own waiting soon looks only ten times a second: whoever does so beside writers
 * that come back at once is never let in.
 */
function whileBusy<T>(patienceMs: number, work: () => T): T {
  const deadline = performance.now() + patienceMs;
  for (;;) {
    try {
      return work();
    } catch (error) {
      const leftMs = deadline - performance.now();
      // Also `SQLITE_BUSY_RECOVERY`, `SQLITE_BUSY_SNAPSHOT`, …
      if (!codeOf(error).startsWith('SQLITE_BUSY') || leftMs <= 0) throw error;
      Atomics.wait(sleeper, 0, 0, Math.min(leftMs, 1 + Math.random() * MAX_PAUSE_MS));
    }
  }
}

/** Columns of `runs` that hold its owner. */
export const OWNER_COLUMNS = `boot_id AS bootId, pid_ns AS pidNamespace, pid, start_time AS startTime, host,
  lease_until AS leaseUntil`;

export interface OwnerRow extends RunOwner {
  readonly leaseUntil: string | null;
}

/** @returns what gives the same each time, made at the first */
export function once<T extends object>(make: () => T): () => T {
  let made: T | null = null;
  return () => (made ??= make());
}
