/**
 * Where a ledger lives (ADR 21). A copy says of runs that they are under way, and of documents that they wait for an entry,
 * which only the ledger that it was copied from may act on.
 */
import { realpathSync, statSync } from 'node:fs';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';
import type Database from 'better-sqlite3';
import type { RunLedger } from '../../core/ports.ts';
import { placeOf as placeInRun } from '../../core/interruption.ts';
import type { Interruption, NotedProgress } from '../../core/run.ts';
import type { LedgerFile } from './file.ts';
import { appendOperation } from './operations.ts';
import { storedOrNull } from './stored.ts';

export interface Home {
  /** Of the folder, links resolved. */
  readonly path: string;
  readonly host: string;
  /** Of the file: its inode, and when it was made (ns; 0 where the file system does not say). It keeps both when it is moved. */
  readonly inode: string;
  readonly born: string;
}

/** Where it is now, and in which file system. */
export interface Place {
  readonly home: Home;
  readonly name: string;
  readonly device: bigint;
}

/** @throws Error of the system */
export function placeOf(file: string): Place {
  const { ino, birthtimeNs, dev } = statSync(file, { bigint: true });
  const real = realpathSync(file);
  const home = { path: dirname(real), host: hostname(), inode: String(ino), born: String(birthtimeNs) };
  return { home, name: basename(real), device: dev };
}

/**
 * Whether a ledger that says it lives there does live here: the same path, on the same host (restored in its place) or with
 * the same file (another host name, as containers have); or the same file elsewhere (moved, or mounted at another place).
 */
export function isHome(says: Home, { home: here, ...place }: Place): boolean {
  const isSameFile = says.inode === here.inode && says.born === here.born;
  if (says.path !== here.path) return isSameFile && here.born !== '0' && !isElsewhereToo(says, place);
  return says.host === here.host || isSameFile;
}

/** The copy of a whole file system (a snapshot, an image) has the same inodes; the ledger that it was made of is still there. */
function isElsewhereToo(says: Home, { name, device }: Omit<Place, 'home'>): boolean {
  const there = statSync(join(says.path, name), { bigint: true, throwIfNoEntry: false });
  return there !== undefined && there.dev !== device;
}

/** Null where it does not say, as in an older schema. */
export function readHome(db: Database.Database): Home | null {
  const hasPlace = db.prepare<[], number>("SELECT 1 FROM sqlite_schema WHERE name = 'home'").pluck().get();
  if (hasPlace === undefined) return null;
  return db.prepare<[], Home>('SELECT path, host, inode, born FROM home').get() ?? null;
}

/** Where it is not known yet, or moved with its folder, it lives here from now on; a copy is left as it is. */
export function noteHome(file: LedgerFile): void {
  const here = placeOf(file.path);
  const isNew = (says: Home | null): boolean =>
    says === null || (isHome(says, here) && JSON.stringify(says) !== JSON.stringify(here.home));
  if (!isNew(file.ask(() => readHome(file.db)))) return;
  file.note(() => {
    if (isNew(readHome(file.db))) writeHome(file.db, here.home);
  });
}

export function createHome(file: LedgerFile): Pick<RunLedger, 'copyOf' | 'moveIn'> {
  const { db } = file;
  const copyOf = (): string | null => {
    const says = readHome(db);
    return says === null || isHome(says, placeOf(file.path)) ? null : says.path;
  };
  return {
    copyOf: async () => file.ask(copyOf),
    moveIn: async (operation, reason) =>
      file.change(() => {
        if (copyOf() === null) return null;
        const left = db
          .prepare<[], { runId: string; progress: string | null }>(
            "SELECT run_id AS runId, progress FROM runs WHERE state <> 'finished' AND state IN ('queued', 'started') ORDER BY first_seq",
          )
          .all();
        const { at } = operation;
        for (const { runId, progress } of left) {
          const begun = storedOrNull<NotedProgress>(progress);
          const unseen = { survivors: null, workFolder: null, output: null };
          const interruption: Interruption = { at, reason, ...placeInRun(begun), ...unseen };
          file.append(runId, 'interrupted', at, { interruption });
        }
        db.prepare<[string]>(
          `UPDATE runs SET state = 'interrupted', finished_at = ?, cancel = NULL, progress = NULL,
                           indexed = CASE WHEN started_at IS NULL THEN 'whole' ELSE indexed END
           WHERE state <> 'finished' AND state IN ('queued', 'started')`,
        ).run(at);
        // Documents belong to the ledger that this is a copy of.
        db.exec("UPDATE runs SET entry = NULL WHERE entry IN ('wanted', 'pending')");
        writeHome(db, placeOf(file.path).home);
        appendOperation(file, operation);
        return left.map(({ runId }) => runId);
      }),
  };
}

function writeHome(db: Database.Database, { path, host, inode, born }: Home): void {
  db.prepare('INSERT OR REPLACE INTO home VALUES (1, ?, ?, ?, ?)').run(path, host, inode, born);
}
