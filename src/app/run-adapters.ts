/** What only a run needs, and whoever looks after one: loaded with the engine, not with every command. */
export { createMarkdownHistory } from '../adapters/document-history/markdown-file.ts';
export { createExecutor } from '../adapters/executor/index.ts';
export { createRunIds } from '../adapters/system/run-ids.ts';
export { makeOwnedFolder } from '../adapters/workspace/keep.ts';
export { createWorkspace } from '../adapters/workspace/temporary.ts';
