/** `validate --watch`: everything at once, then whatever changes, until somebody ends it. */
import { stat } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { watch as watchFolders } from 'chokidar';
import type { App } from '../../../app.ts';
import { RunbookError } from '../../../core/errors.ts';
import { messageOf } from '../../../core/failures.ts';
import { strictly, validateRunbook } from '../../../engine/queries.ts';
import type { Validation } from '../../../engine/queries.ts';
import type { CommandContext } from '../../context.ts';
import type { Terminal } from '../../terminal.ts';
import { exitCodeOf } from './text.ts';
import { isPattern, referencesOf } from './documents.ts';
import type { ValidateOptions } from './options.ts';
import { showChanges, showScreen } from './watch-view.ts';

/** What an editor does in one go (a draft, a rename, a backup) is one change. */
const SETTLE_MS = 40;
const NEVER_WATCHED = new Set(['.git', 'node_modules']);

interface Seen {
  readonly stamp: string;
  readonly validation: Validation;
}

/** What has changed since the last look. */
export interface Changes {
  readonly all: readonly Validation[];
  readonly changed: readonly Validation[];
  /** Shown paths of documents that were there before. */
  readonly gone: readonly string[];
}

/** @returns the exit code of the last state, once Ctrl-C or SIGTERM came */
export async function watch(
  terminal: Terminal,
  context: CommandContext,
  documents: readonly string[],
  options: ValidateOptions,
): Promise<number> {
  const { app } = context;
  const seen = new Map<string, Seen>();
  // As without --watch: what is not there at all is said, and that is the end.
  let references = await referencesOf(app, documents, terminal.cwd);
  return await terminal.withStopSignal(async ({ stop }) => {
    const bell = new Bell();
    stop.addEventListener('abort', () => {
      bell.ring();
    });
    const show = async (changes: Changes): Promise<void> => {
      if (terminal.isReadByPerson) await showScreen(terminal, context, changes.all, folders, options);
      else await showChanges(terminal, context, changes, options);
    };
    const folders = await foldersOf(app, documents, terminal.cwd);
    await show(await look(app, references, terminal.cwd, seen, options));
    const watcher = watchFolders([...folders], {
      ignoreInitial: true,
      ...(documents.some(isPattern) ? {} : { depth: 0 }),
      ignored: (file, facts) =>
        NEVER_WATCHED.has(path.basename(file)) || (facts?.isFile() === true && !file.endsWith('.md')),
    });
    let failure: unknown = null;
    watcher.on('all', () => {
      bell.ring();
    });
    watcher.on('error', (error) => {
      failure ??= error;
      bell.ring();
    });
    watcher.on('ready', () => {
      if (!terminal.isReadByPerson && options.quiet !== true) terminal.say('Watching; Ctrl-C ends it.');
      // What changed between the first look and now brought no event.
      bell.ring();
    });
    try {
      for (;;) {
        await bell.rung();
        if (stop.aborted) break;
        if (failure !== null) throw cannotWatch(failure);
        await delay(SETTLE_MS);
        references = await stillThere(app, documents, terminal.cwd);
        const changes = await look(app, references, terminal.cwd, seen, options);
        if (changes.changed.length > 0 || changes.gone.length > 0) await show(changes);
      }
    } finally {
      await watcher.close();
    }
    return exitCodeOf([...seen.values()].map(({ validation }) => validation));
  });
}

/** Rung any number of times, it has been rung once. */
class Bell {
  #isRung = false;
  #wake: (() => void) | null = null;

  ring(): void {
    this.#isRung = true;
    this.#wake?.();
  }

  async rung(): Promise<void> {
    if (!this.#isRung) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    this.#wake = null;
    this.#isRung = false;
  }
}

/** Checks what is new or another than before. */
async function look(
  app: App,
  references: readonly string[],
  cwd: string,
  seen: Map<string, Seen>,
  { ready, strict }: ValidateOptions,
): Promise<Changes> {
  const changed: Validation[] = [];
  for (const reference of references) {
    const stamp = await stampOf(filesOf(app, reference, cwd));
    const before = seen.get(reference);
    if (before?.stamp === stamp) continue;
    const found = await validateRunbook(app, reference, ready === true);
    const validation = strict === true ? strictly(found) : found;
    seen.set(reference, { stamp, validation });
    changed.push(validation);
  }
  const gone: string[] = [];
  const wanted = new Set(references);
  for (const [reference, { validation }] of seen) {
    if (wanted.has(reference)) continue;
    seen.delete(reference);
    gone.push(validation.displayPath);
  }
  const all = references.flatMap((reference) => seen.get(reference)?.validation ?? []);
  return { all, changed, gone };
}

/** A folder that has become empty, or is gone, is no reason to end. */
async function stillThere(app: App, documents: readonly string[], cwd: string): Promise<readonly string[]> {
  try {
    return await referencesOf(app, documents, cwd);
  } catch (error) {
    if (error instanceof RunbookError && error.code === 'not-found') return [];
    throw error;
  }
}

/** Where the documents lie, and new ones would. */
async function foldersOf(app: App, documents: readonly string[], cwd: string): Promise<readonly string[]> {
  const folders = await Promise.all(
    documents.map(async (document) => {
      const absolute = path.resolve(cwd, document);
      const facts = await stat(absolute).catch(() => null);
      if (facts?.isDirectory() === true) return [absolute];
      if (facts !== null || !isPattern(document)) {
        return filesOf(app, document, cwd).map((file) => path.dirname(file));
      }
      const segments = document.split('/');
      const plain = segments.slice(
        0,
        segments.findIndex((segment) => isPattern(segment)),
      );
      return [path.resolve(cwd, plain.join('/') || (document.startsWith('/') ? '/' : '.'))];
    }),
  );
  return [...new Set(folders.length > 0 ? folders.flat() : [app.runbooksDir ?? cwd])];
}

/** Where the source looks for it. */
function filesOf(app: App, reference: string, cwd: string): readonly string[] {
  if (reference.includes('/')) return [path.resolve(cwd, reference)];
  const inFolder = path.join(app.runbooksDir ?? cwd, reference.endsWith('.md') ? reference : `${reference}.md`);
  return reference.endsWith('.md') ? [path.resolve(cwd, reference), inFolder] : [inFolder];
}

async function stampOf(files: readonly string[]): Promise<string> {
  const stamps = files.map(async (file) => {
    const facts = await stat(file, { bigint: true }).catch(() => null);
    return facts === null ? 'gone' : [facts.dev, facts.ino, facts.size, facts.mtimeNs, facts.ctimeNs].join('-');
  });
  return (await Promise.all(stamps)).join(' ');
}

function cannotWatch(cause: unknown): RunbookError {
  return new RunbookError('unavailable', `Changes cannot be watched: ${messageOf(cause)}.`, {
    fix: 'Name fewer folders, raise the limit (fs.inotify.max_user_watches), or set CHOKIDAR_USEPOLLING=1.',
    cause,
  });
}
