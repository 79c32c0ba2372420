/** `runbook list`: one line a runbook; invalid ones are named as such and never hidden. */
import { listRunbooks } from '../../engine/queries.ts';
import type { DocumentView } from '../../engine/queries.ts';
import { printJson, withApp } from '../context.ts';
import type { CommonOptions } from '../context.ts';
import { inline, renderTable } from '../render.ts';
import { describeAlternatives, shorten, summaryOf } from '../describe.ts';
import type { Terminal } from '../terminal.ts';

export async function listCommand(terminal: Terminal, options: CommonOptions): Promise<number> {
  return await withApp(terminal, options, async ({ app }) => {
    const views = await listRunbooks(app);
    if (options.json === true) {
      await printJson(terminal, 'list', { runbooks: views.map(asJson) });
      return 0;
    }
    if (views.length === 0) {
      terminal.say('There are no runbooks in this folder.');
      return 0;
    }
    const rows = views.map((view) => {
      const runbook = view.parsed?.runbook ?? null;
      const name = inline(view.fileName.replace(/\.md$/, ''));
      if (runbook === null) return [name, 'invalid', '', `\`runbook validate ${name}\` says why`];
      const summary = inline(summaryOf(runbook.description));
      const claims =
        runbook.claims === null ? 'anybody here' : shorten(inline(describeAlternatives(runbook.claims)), 40);
      return [
        name,
        runbook.kind === 'steps'
          ? `${runbook.steps.length} ${runbook.steps.length === 1 ? 'step' : 'steps'}`
          : 'script',
        claims,
        summary,
      ];
    });
    await terminal.print(`${renderTable([['NAME', 'KIND', 'WHO', 'WHAT'], ...rows])}\n`);
    return 0;
  });
}

function asJson(view: DocumentView): Record<string, unknown> {
  const runbook = view.parsed?.runbook ?? null;
  return {
    name: view.fileName.replace(/\.md$/, ''),
    path: view.displayPath,
    title: view.parsed?.title ?? null,
    valid: runbook !== null,
    errors:
      view.problem === null ? (view.parsed?.problems.filter((problem) => problem.severity === 'error').length ?? 0) : 1,
    kind: runbook?.kind ?? null,
    steps: runbook?.steps.length ?? null,
    description: runbook?.description ?? null,
    claims: runbook?.claims ?? null,
    metadata: runbook?.metadata ?? null,
    digest: view.parsed?.digest ?? null,
  };
}
