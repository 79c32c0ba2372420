/** A run in a job of GitLab CI: each step is a section of the log that can be folded. */
import { inline } from '../render.ts';
import { plainFrame } from '../run/frame.ts';
import type { RunFrame } from '../run/frame.ts';
import type { Terminal } from '../terminal.ts';

/** The marker is not seen: it is erased behind. */
const marker = (kind: 'start' | 'end', name: string): string =>
  `\u{1B}[0Ksection_${kind}:${Math.floor(Date.now() / 1000)}:${name}\r\u{1B}[0K`;

export function createGitlabFrame(terminal: Terminal): RunFrame {
  let open: string | null = null;
  const end = (): void => {
    if (open !== null) terminal.say(marker('end', open));
    open = null;
  };
  return {
    ...plainFrame(terminal),
    beginStep: ({ step, of, name }) => {
      if (of === 1) return false;
      end();
      open = `runbook_step_${step + 1}`;
      terminal.say(`${marker('start', open)}── ${step + 1}/${of} ${inline(name)}`);
      return true;
    },
    endStep: end,
    close: end,
  };
}
