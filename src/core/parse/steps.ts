/** `# Steps`: `## <Step name>`, prose, an optional yaml block, one fence; `### Done when`, `### Rollback`. */
import { interpreterByTag } from '../interpreters.ts';
import type { EnvRequirement, Script, Step } from '../runbook.ts';
import type { Block, Fence, Heading } from '../markdown/blocks.ts';
import { isLikeYaml, reportSeveral, reportTag } from './block.ts';
import { checkHidden } from './characters.ts';
import { type Problems, quote } from './problems.ts';
import { readScript, tags, TEXT_TAG } from './script.ts';
import type { Section } from './sections.ts';
import { isNear } from '../spelling.ts';
import { lettersOf, nearestName } from './lookalikes.ts';
import { readStepKeys } from './step-keys.ts';
import { readYaml } from './yaml.ts';

const PARTS = ['Done when', 'Rollback'] as const;
type PartName = (typeof PARTS)[number];

export function readSteps(section: Section, env: readonly EnvRequirement[], problems: Problems): readonly Step[] {
  const { before, parts } = splitAt(section.blocks, 2);
  for (const fence of fences(before)) {
    if (fence.info !== TEXT_TAG) reportFence(fence, 'It stands before the first step.', problems);
  }
  if (parts.length === 0) {
    problems.add('steps-missing', section.heading, '`# Steps` has no step.', 'Add `## <Step name>` and a fence.');
  }
  const names = new Set<string>();
  const passedOn = new Set<string>();
  return parts.map(({ heading, blocks }) => {
    checkName(heading, names, problems);
    const step = readStep(heading, blocks, env, passedOn, problems);
    for (const name of step.outputs) passedOn.add(name);
    return step;
  });
}

function checkName(heading: Heading, names: Set<string>, problems: Problems): void {
  const name = heading.text;
  checkHidden(name, heading, 'The name of the step', problems);
  const part = nearestName(name, PARTS);
  if (part !== null || name === '') {
    problems.add(
      'step-name',
      heading,
      part === null
        ? 'The step has no name.'
        : `A step cannot be called ${quote(name)}: it reads like a part of a step.`,
      part === null ? 'Write `## <Step name>`.' : `Write \`### ${part}\` if the part is meant, else another name.`,
    );
  }
  const key = name.normalize('NFKC').toLowerCase();
  if (names.has(key)) {
    problems.add(
      'step-duplicate',
      heading,
      `There are two steps called ${quote(name)}.`,
      'Give one of them another name.',
    );
  }
  names.add(key);
}

function readStep(
  heading: Heading,
  blocks: readonly Block[],
  env: readonly EnvRequirement[],
  passedOn: ReadonlySet<string>,
  problems: Problems,
): Step {
  const { before, parts } = splitAt(blocks, 3);
  const yaml = fences(before).filter(({ info }) => info === 'yaml');
  reportSeveral(yaml, `The step ${quote(heading.text)}`, problems);
  const data = yaml[0] === undefined ? null : readYaml(yaml[0], problems);
  if (data?.kind === 'list') {
    problems.add('yaml-not-mapping', data.at, 'The keys of a step are a mapping.', 'Write `name: value` lines.');
  }
  const keys = readStepKeys(data?.kind === 'mapping' ? data : null, env, passedOn, problems);
  const scripts = scriptFences(before, yaml[0], problems, true);
  const script = scripts[0] === undefined ? null : readScript(scripts[0], 'steps', problems);
  if (keys.manual !== undefined) {
    for (const fence of scripts) {
      problems.add('step-manual', fence, 'A manual step has a script.', 'Remove `manual`, or tag the fence `text`.');
    }
  } else if (scripts.length === 0 && !(data === null && yaml.length > 0)) {
    reportNoScript(heading, `The step ${quote(heading.text)}`, 'or the key `manual`', problems);
  }
  const found = readParts(parts, problems);
  const [doneWhen, rollback] = PARTS.map((name) => found.get(name) ?? null);
  return {
    name: heading.text,
    line: heading.line,
    script: keys.manual === undefined ? script : null,
    ...keys,
    ...(doneWhen && { doneWhen }),
    ...(rollback && { rollback }),
  };
}

/** `### Done when` and `### Rollback`. Another heading of that level is prose, but a fence under it would be lost. */
function readParts(parts: readonly Part[], problems: Problems): ReadonlyMap<PartName, Script | null> {
  const found = new Map<PartName, Script | null>();
  for (const { heading, blocks } of parts) {
    const name = PARTS.find((part) => part === heading.text);
    if (name === undefined) {
      const near = PARTS.find((part) => isNearPart(heading.text, part));
      if (near !== undefined) {
        const isOnly = parts.every((part) => part.heading === heading || !isNearPart(part.heading.text, near));
        problems.add(
          'step-part',
          heading,
          `${quote(heading.text)} is nearly \`${near}\`.`,
          `Write \`### ${near}\`.`,
          undefined,
          isOnly ? { old: heading.text, text: near } : null,
        );
      }
      for (const fence of fences(blocks)) {
        if (fence.info !== TEXT_TAG) reportFence(fence, `It stands under ${quote(heading.text)}.`, problems);
      }
    } else if (found.has(name)) {
      problems.add('step-part', heading, `The step has two parts \`### ${name}\`.`, 'Keep one of them.');
    } else {
      const yaml = fences(blocks).find(({ info }) => info === 'yaml');
      if (yaml !== undefined) reportFence(yaml, `\`### ${name}\` has no keys.`, problems);
      const fence = scriptFences(blocks, undefined, problems)[0];
      if (fence === undefined) reportNoScript(heading, `\`### ${name}\``, '', problems);
      found.set(name, fence === undefined ? null : readScript(fence, 'steps', problems));
    }
  }
  return found;
}

function isNearPart(text: string, part: PartName): boolean {
  return isNear(lettersOf(text), lettersOf(part), 2);
}

/** Fences that are executed. One is right; all others, and those that are neither data nor documentation, are reported. */
function scriptFences(
  blocks: readonly Block[],
  yaml: Fence | undefined,
  problems: Problems,
  takesData = false,
): readonly Fence[] {
  const others = fences(blocks).filter(({ info }) => info !== 'yaml' && info !== TEXT_TAG);
  const meantAsData = others.filter(({ info }) => isLikeYaml(info) && info !== '');
  const isOnly = takesData && yaml === undefined && meantAsData.length === 1;
  for (const fence of meantAsData) reportTag(fence, problems, isOnly && isFirst(fence, blocks));
  const candidates = others.filter(({ info }) => !isLikeYaml(info) || info === '');
  const [first, ...further] = candidates;
  if (first !== undefined) {
    if (interpreterByTag(first.info, 'steps') === null) {
      reportFence(first, first.info === '' ? 'It has no tag.' : `It is tagged ${quote(first.info)}.`, problems);
    }
    if (yaml !== undefined && yaml.line > first.line)
      reportFence(yaml, 'The yaml block stands behind the script.', problems);
  }
  for (const fence of further) reportFence(fence, 'It is a second fence.', problems);
  return candidates;
}

function isFirst(fence: Fence, blocks: readonly Block[]): boolean {
  return fences(blocks)[0] === fence;
}

function reportFence(fence: Fence, why: string, problems: Problems): void {
  problems.add(
    'step-fence',
    fence,
    `The fence has no place in its step. ${why}`,
    `Give each step one script tagged ${tags('steps')}; tag examples \`${TEXT_TAG}\`.`,
  );
}

function reportNoScript(heading: Heading, what: string, alternative: string, problems: Problems): void {
  problems.add(
    'step-script-missing',
    heading,
    `${what} has no script.`,
    `Add a fence tagged ${tags('steps')} ${alternative}.`.replace(' .', '.'),
  );
}

interface Part {
  readonly heading: Heading;
  readonly blocks: readonly Block[];
}

/** Cuts at headings of `level`. */
function splitAt(
  blocks: readonly Block[],
  level: 2 | 3,
): { readonly before: readonly Block[]; readonly parts: readonly Part[] } {
  const before: Block[] = [];
  const parts: { heading: Heading; blocks: Block[] }[] = [];
  for (const block of blocks) {
    if (block.type === 'heading' && block.level === level) parts.push({ heading: block, blocks: [] });
    else (parts.at(-1)?.blocks ?? before).push(block);
  }
  return { before, parts };
}

function fences(blocks: readonly Block[]): readonly Fence[] {
  return blocks.filter((block) => block.type === 'fence');
}
