/** A private folder for one run: `work/` is the script's, `control/` holds what runs it (scripts, outputs of steps). */
import { mkdirSync, writeFileSync } from 'node:fs';
import { mkdtemp, rmdir } from 'node:fs/promises';
import path from 'node:path';
import { RunbookError } from '../../core/errors.ts';
import { messageOf } from '../../core/failures.ts';
import type { WorkFolder, Workspace } from '../../core/ports.ts';
import type { RunOwner } from '../../core/run.ts';
import { reasonOf } from '../system/descriptors.ts';
import { freeBytes } from '../system/free-bytes.ts';
import { readSmallFile } from './control.ts';
import { copyInputs } from './copy.ts';
import { follow } from './follow.ts';
import { throwIfStopped } from './input-file.ts';
import {
  identityOfOwn,
  isKept,
  layoutOf,
  leave,
  makeOwnedFolder,
  noFolder,
  OWNER_FILE,
  readOutputs,
  removeExpired,
  takeOver,
  whyNoFolder,
  writeOutputs,
} from './keep.ts';
import type { Layout } from './keep.ts';
import { removeAllBut, removeTree } from './remove.ts';

/** Of the control folder: outputs of the steps so far. */
const REMEMBERED = 'passed-on.json';

export interface WorkspaceOptions {
  /** Where the work folders are made. */
  readonly parent: string;
  /** The same folder as the host of a container sees it; null: no other than ours. */
  readonly mountDir: string | null;
  /** Given where no ledger will know the runs: their folders say whose they are. */
  readonly owner?: RunOwner | null;
  readonly isGone?: (owner: RunOwner) => boolean;
}

export function createWorkspace({ parent, mountDir, owner = null, isGone = () => false }: WorkspaceOptions): Workspace {
  const hostPathOf = (work: string): string =>
    mountDir === null ? work : path.join(mountDir, path.relative(parent, work));

  const workFolder = (layout: Layout): WorkFolder => {
    const { root, work, control } = layout;
    // Scripts can exchange the folder; only the one that was made is ever removed or kept.
    const identity = identityOfOwn(root);
    if (identity === null) throw new Error('it does not belong to this user');
    return {
      path: work,
      hostPath: hostPathOf(work),
      controlFile: async (name, content) => {
        const file = path.join(control, name);
        // A script is small; on its way through a pool of threads it would take ten times as long.
        writeFileSync(file, content, { mode: 0o600 });
        return file;
      },
      follow: (name) => follow(path.join(control, name)),
      readControlFile: async (name) => readSmallFile(path.join(control, name)),
      remember: async (outputs) => {
        await writeOutputs(control, path.join(control, REMEMBERED), outputs);
      },
      keep: async (outputs) => {
        await leave(layout, identity, outputs);
        return work;
      },
      remove: async () => {
        // Whoever is killed at it is followed by somebody who can still tell whose it was.
        if (owner !== null && identityOfOwn(root) === identity) await removeAllBut(root, [OWNER_FILE]);
        await removeTree(root, identity);
      },
    };
  };

  const claimed = new Set<string>();
  return {
    claim: async (runId) => {
      if (owner === null) return;
      await makeOwnedFolder(layoutOf(parent, runId).root, owner);
      claimed.add(runId);
    },

    create: async (runId, folder, inputs, signal) => {
      const layout = layoutOf(parent, runId);
      const make = async (): Promise<void> => {
        if (owner !== null) await makeOwnedFolder(layout.root, owner);
        else makeFolder(parent, layout.root);
      };
      if (!claimed.delete(runId)) await make();
      try {
        for (const place of [layout.work, layout.control]) mkdirSync(place, { mode: 0o700 });
        const paths = inputs.map((input) => input.path);
        await copyInputs(folder, paths, layout.work, signal);
        return workFolder(layout);
      } catch (error) {
        // Why it could not be made is what matters.
        await removeTree(layout.root).catch(() => {});
        throw asInputError(error);
      }
    },

    adopt: async (runId, earlierRunId, signal) => {
      throwIfStopped(signal);
      const [earlier, layout] = [layoutOf(parent, earlierRunId), layoutOf(parent, runId)];
      try {
        const outputs = await takeOver(earlier, layout);
        return outputs === null ? null : { folder: workFolder(layout), outputs };
      } catch (error) {
        throw new RunbookError(
          'io',
          `The work folder of run ${earlierRunId} could not be taken over: ${messageOf(error)}.`,
          {
            fix: 'Check the free space and the permissions of the folder for work folders.',
            cause: error,
          },
        );
      }
    },

    isKept: async (runId, now) => await isKept(layoutOf(parent, runId), now),

    foresee: async () => {
      const obstacle = whyNoFolder(parent);
      if (obstacle !== null) throw obstacle;
      const { work, control } = layoutOf(parent, 'run-id');
      return { path: work, hostPath: hostPathOf(work), control };
    },

    tryFolder: async () => {
      try {
        await rmdir(await mkdtemp(path.join(parent, '.runbook-probe-')));
      } catch (error) {
        throw noFolder(parent, error);
      }
      return await freeBytes(parent);
    },

    recover: async (runId, isToBeKept) => {
      const layout = layoutOf(parent, runId);
      const identity = identityOfOwn(layout.root);
      if (identity === null) return null;
      const kept = await readOutputs(layout.outputs);
      // Its run has ended and left it: what is looked at here is an old copy of the ledger.
      if (kept !== null && identityOfOwn(layout.control) === null) return layout.work;
      if (isToBeKept && identityOfOwn(layout.work) !== null) {
        const remembered = await readOutputs(path.join(layout.control, REMEMBERED));
        // Whoever was killed while leaving it had written them down.
        await leave(layout, identity, remembered ?? kept ?? new Map());
        return layout.work;
      }
      await removeTree(layout.root, identity);
      return null;
    },

    sweep: async (now, fateOf) => await removeExpired(parent, now, { fateOf, isGone }),
  };
}

/** @throws RunbookError `io` */
function makeFolder(parent: string, folder: string): void {
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    throw noFolder(parent, error);
  }
}

function asInputError(error: unknown): RunbookError {
  if (error instanceof RunbookError) return error;
  return new RunbookError('io', `The inputs could not be copied: ${reasonOf(error)}.`, {
    fix: 'Check the files, and the free space of the folder for work folders.',
    reason: 'inputs',
    cause: error,
  });
}
