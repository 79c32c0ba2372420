/** Fences that are executed: which interpreter, which options, and `# Script` as a whole. */
import { interpreterByTag, INTERPRETER_NAMES, interpreterOf, readShebang } from '../interpreters.ts';
import type { Runbook, Script, Step } from '../runbook.ts';
import type { Fence } from '../markdown/blocks.ts';
import { checkHidden } from './characters.ts';
import { type Problems, quote } from './problems.ts';
import { fencesOf, type Section } from './sections.ts';

/** Fences with this tag are documentation everywhere. */
export const TEXT_TAG = 'text';

/** `# Script` as the one step of a classic document; null when (reported) there is no script. */
export function readClassicScript(section: Section, problems: Problems): Step | null {
  const fences = fencesOf(section);
  // Stage0 runs the first `sh` fence whatever stands before it; other tags are understood where it finds nothing.
  const fence =
    fences.find(({ info }) => info === 'sh') ?? fences.find(({ info }) => interpreterByTag(info, 'classic') !== null);
  if (fence === undefined) {
    const first = fences[0];
    problems.add(
      'script-missing',
      first ?? section.heading,
      first === undefined
        ? '`# Script` has no fence.'
        : `The fence is tagged ${quote(first.info)}, which is not executed.`,
      `Tag the script exactly ${tags('classic')}.`,
    );
    return null;
  }
  for (const extra of fences) {
    if (extra === fence || extra.info === TEXT_TAG) continue;
    problems.add(
      'script-extra-fence',
      extra,
      `\`# Script\` has a further fence; only the one in line ${fence.line} is executed.`,
      'Use `# Steps` to execute several, or tag it `text`.',
    );
  }
  const script = readScript(fence, 'classic', problems);
  return script === null ? null : { name: section.name, line: section.heading.line, script, tty: false, outputs: [] };
}

/** The script in a fence; null when it is wrong (reported). */
export function readScript(fence: Fence, kind: Runbook['kind'], problems: Problems): Script | null {
  const { content, line, column } = fence;
  const byTag = interpreterByTag(fence.info, kind);
  checkHidden(content, { line: line + 1, column }, 'The script', problems);
  if (content.trim() === '') {
    problems.add('script-empty', fence, 'The script is empty.', 'Write the commands into the fence.');
    return null;
  }
  const [first = ''] = content.split('\n', 1);
  const shebang = first.startsWith('#!') ? readShebang(first) : undefined;
  if (shebang === null) {
    problems.add(
      'shebang-refused',
      { line: line + 1, column },
      `The shebang ${quote(first)} is not allowed.`,
      'Write a known interpreter in /bin, /usr/bin or /usr/local/bin with plain options, or `#!/usr/bin/env bash`.',
    );
  }
  if (byTag === null || shebang === null) return null;
  const { baseOptions, options } = interpreterOf(byTag);
  return {
    ...(shebang ?? { interpreter: byTag, options: [...baseOptions, ...options[kind]] }),
    body: content,
    line: line + 1,
  };
}

/** The tags that are executed in this kind of document, for messages. */
export function tags(kind: Runbook['kind']): string {
  const all = INTERPRETER_NAMES.flatMap((name) => interpreterOf(name).tags[kind]).map((tag) => `\`${tag}\``);
  return `${all.slice(0, -1).join(', ')} or ${all.at(-1)}`;
}
