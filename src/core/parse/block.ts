/** The yaml block of a section: found, in the right fence, once. */
import type { Fence } from '../markdown/blocks.ts';
import { type Problems, quote, type Replacement } from './problems.ts';
import { fencesOf, type Section } from './sections.ts';
import { lettersOf, nearestName } from './lookalikes.ts';
import { readYaml, type YamlList, type YamlMapping } from './yaml.ts';

/**
 * Whether a person may take a fence for a yaml block that is not one: another case, `yml`, a typo, attributes, JSON,
 * no tag at all.
 */
export function isLikeYaml(info: string): boolean {
  if (info === 'yaml') return false;
  return info.trim() === '' || /^(?:ya?ml|json)/.test(lettersOf(info)) || nearestName(info, ['yaml']) !== null;
}

/**
 * The section's data. Null when there is none, or when it is wrong (reported).
 * @param need `block`: a section without a yaml block is an error; `none`: it is empty, and a warning when it has text
 */
export function readSectionYaml(
  section: Section,
  need: 'block' | 'none',
  problems: Problems,
): YamlMapping | YamlList | null {
  const fences = fencesOf(section);
  const blocks = fences.filter(({ info }) => info === 'yaml');
  // Fences with other tags are documentation, but not where they may be meant as the data.
  const wrong = fences.filter(
    ({ info }) =>
      info !== 'yaml' &&
      (blocks.length === 0 || (isLikeYaml(info) && (info !== '' || section.name === 'Required Claims'))),
  );
  const isOnly = blocks.length === 0 && fences.length === 1;
  for (const fence of wrong) reportTag(fence, problems, isOnly, section.name);
  const block = blocks[0];
  if (block === undefined) {
    if (wrong.length === 0) reportMissing(section, need, problems);
    return null;
  }
  reportSeveral(blocks, `\`# ${section.name}\``, problems);
  return wrong.length > 0 || blocks.length > 1 ? null : readYaml(block, problems);
}

/** Reports every yaml block behind the first. */
export function reportSeveral(blocks: readonly Fence[], where: string, problems: Problems): void {
  for (const extra of blocks.slice(1)) {
    problems.add('yaml-several-blocks', extra, `${where} has a second yaml block.`, 'Put all of it into one block.');
  }
}

/**
 * @param isOnly no other fence could be the block
 * @param about section that the block is for
 */
export function reportTag(fence: Fence, problems: Problems, isOnly: boolean, about?: string): void {
  const replacement: Replacement | null =
    isOnly && /^\.?ya?ml$/i.test(fence.info) ? { old: fence.info, text: 'yaml' } : null;
  problems.add(
    'yaml-fence-tag',
    fence,
    fence.info === '' ? 'The fence has no tag.' : `The fence is tagged ${quote(fence.info)}.`,
    'Tag a block of data exactly `yaml`, in lower case and without anything behind it.',
    about,
    replacement,
  );
}

function reportMissing(section: Section, need: 'block' | 'none', problems: Problems): void {
  if (need === 'block') {
    problems.add(
      'yaml-missing',
      section.heading,
      `\`# ${section.name}\` has no yaml block.`,
      'Add a fence tagged `yaml` with its data, or remove the section.',
    );
  } else if (!section.isBlank) {
    problems.add(
      'section-without-yaml',
      section.heading,
      `\`# ${section.name}\` has text but no yaml block, so it requires nothing.`,
      'Add a fence tagged `yaml`; it may be empty.',
    );
  }
}
