/** Which way a run is shown here; what is not needed is not loaded. */
import type { CommonOptions } from '../context.ts';
import type { Terminal } from '../terminal.ts';
import { plainFrame } from './frame.ts';
import type { RunFrame } from './frame.ts';

export async function openFrame(
  terminal: Terminal,
  { quiet, progress }: CommonOptions & { readonly progress?: boolean },
): Promise<RunFrame> {
  const { environment, ci } = terminal;
  if (environment.get('GITHUB_ACTIONS') === 'true')
    return (await import('../pipeline/actions.ts')).createActionsFrame(terminal);
  if (environment.get('GITLAB_CI') === 'true' && quiet !== true)
    return (await import('../pipeline/gitlab.ts')).createGitlabFrame(terminal);
  if (ci || quiet === true || progress === false) return plainFrame(terminal);
  return (await import('./live-frame.ts')).createLiveFrame(terminal) ?? plainFrame(terminal);
}
