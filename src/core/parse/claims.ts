/** `# Required Claims`: who may run, and who may read output. Whatever is not plainly right is an error. */
import type { ClaimAlternative, ClaimRequirement, Runbook } from '../runbook.ts';
import { splitTexts } from './fields.ts';
import { type Problems, quote } from './problems.ts';
import type { YamlEntry, YamlList, YamlMapping, YamlValue } from './yaml.ts';

export interface ClaimsSection {
  readonly claims: readonly ClaimAlternative[];
  readonly readers: readonly ClaimAlternative[] | null;
}

const READERS = 'readers';

/**
 * The section's content. Of a wrong one nothing is promised but that `problems` has an error.
 * `readers` stands beside the claims of a mapping, or as an item of its own in a list of alternatives.
 */
export function readClaims(data: YamlMapping | YamlList, kind: Runbook['kind'], problems: Problems): ClaimsSection {
  const items: readonly YamlValue[] = data.kind === 'list' ? data.items : [data];
  if (data.kind === 'list') checkList(data, kind, problems);
  const claims: ClaimAlternative[] = [];
  let readers: readonly ClaimAlternative[] | null = null;
  for (const item of items) {
    if (item.kind !== 'mapping') {
      reportShape(item, problems);
      continue;
    }
    const readersEntry = item.entries.find(({ key }) => key === READERS);
    const isReadersItem = data.kind === 'list' && readersEntry !== undefined && item.entries.length === 1;
    if (readersEntry !== undefined) {
      if (readers !== null || (data.kind === 'list' && !isReadersItem)) reportReaders(readersEntry, problems);
      readers = readReaders(readersEntry, kind, problems);
    }
    if (!isReadersItem) claims.push(readAlternative(item, problems));
  }
  if (claims.length === 0) reportEmpty(data, problems);
  return { claims, readers };
}

function readReaders(entry: YamlEntry, kind: Runbook['kind'], problems: Problems): readonly ClaimAlternative[] {
  const { value } = entry;
  if (value.kind === 'list') checkList(value, kind, problems);
  const items = value.kind === 'list' ? value.items : [value];
  if (items.length === 0) reportEmpty(entry, problems);
  return items.flatMap((item) => {
    if (item.kind !== 'mapping') {
      reportShape(item, problems);
      return [];
    }
    const nested = item.entries.find(({ key }) => key === READERS);
    if (nested !== undefined) reportReaders(nested, problems);
    return [readAlternative(item, problems)];
  });
}

function readAlternative(mapping: YamlMapping, problems: Problems): ClaimAlternative {
  const claims = mapping.entries.filter(({ key }) => key !== READERS).map((entry) => readClaim(entry, problems));
  if (claims.length === 0) reportEmpty(mapping, problems);
  return claims;
}

function readClaim({ key, value, at }: YamlEntry, problems: Problems): ClaimRequirement {
  if (key.trim() === '' || key !== key.trim()) {
    problems.add(
      'claims-shape',
      at,
      `${quote(key)} is not the name of a claim.`,
      'Write the claim as the token has it.',
    );
  }
  const texts = splitTexts(value);
  if (texts !== null) return { claim: key, anyOf: texts.map(({ text }) => text) };
  const isEmpty = value.kind === 'none' || value.kind === 'text' || (value.kind === 'list' && value.items.length === 0);
  problems.add(
    isEmpty ? 'claims-empty' : 'claims-shape',
    value.at,
    isEmpty
      ? `The claim ${quote(key)} has an empty value.`
      : `The claim ${quote(key)} is not a text or a list of texts.`,
    'List at least one allowed value: `roles: sre, dba` or `roles: [sre, dba]`.',
  );
  return { claim: key, anyOf: [] };
}

function checkList(list: YamlList, kind: Runbook['kind'], problems: Problems): void {
  if (kind === 'steps') return;
  problems.add(
    'claims-alternatives',
    list.at,
    'A list of alternatives is understood only in a document with `# Steps`; Stage0 takes it for "no claims".',
    'Write one mapping, or turn the script into a step.',
  );
}

function reportShape({ at }: YamlValue, problems: Problems): void {
  problems.add('claims-shape', at, 'An alternative must be a mapping of claims.', 'Write `- roles: sre` lines.');
}

function reportEmpty({ at }: YamlMapping | YamlList | YamlEntry, problems: Problems): void {
  problems.add(
    'claims-empty',
    at,
    'No claim is required here, so everybody would be let in.',
    'Require a claim, such as `roles: sre`.',
  );
}

function reportReaders({ at }: YamlEntry, problems: Problems): void {
  problems.add(
    'claims-shape',
    at,
    '`readers` stands in a wrong place, or twice.',
    'Put it beside the claims of a mapping, or once as an item of its own in a list.',
  );
}
