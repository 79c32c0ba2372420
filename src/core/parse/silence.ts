/** `<!-- runbook: allow rule-id -->` silences the warnings of one rule in its document. */
import type { Block } from '../markdown/blocks.ts';
import type { Position, Problems, Replacement } from './problems.ts';
import { RULES, type RuleId } from './rules.ts';
import { nearestName, onlyNearName } from './lookalikes.ts';

const PREFIX = /^runbook\s*:/i;
const ALLOW = /^runbook: allow ([a-z0-9-]{1,40})$/;

/** The rules that are silenced. Errors cannot be; comments to `runbook` that say anything else are reported. */
export function readSilenced(blocks: readonly Block[], problems: Problems): ReadonlySet<string> {
  const silenced = new Set<string>();
  for (const block of blocks) {
    if (block.type !== 'comment' || !PREFIX.test(block.text)) continue;
    const rule = ALLOW.exec(block.text)?.[1] ?? '';
    if (isRule(rule) && RULES[rule].severity === 'warning') silenced.add(rule);
    else report(rule, block, problems);
  }
  return silenced;
}

function isRule(text: string): text is RuleId {
  return Object.hasOwn(RULES, text);
}

function report(rule: string, at: Position, problems: Problems): void {
  const near = nearestName(rule, Object.keys(RULES));
  problems.add(
    'allow-unknown',
    at,
    isRule(rule) ? `\`${rule}\` is an error; errors cannot be silenced.` : 'The comment names no rule.',
    isRule(rule)
      ? 'Repair what it is about, and remove the comment.'
      : `Write \`<!-- runbook: allow ${near ?? 'rule-id'} -->\` on a line of its own.`,
    undefined,
    renamed(rule),
  );
}

/** Only a rule that can be silenced. */
function renamed(rule: string): Replacement | null {
  const name = isRule(rule) || rule === '' ? null : onlyNearName(rule, Object.keys(RULES));
  if (name === null || !isRule(name) || RULES[name].severity !== 'warning') return null;
  return { old: rule, text: name, anywhere: true };
}
