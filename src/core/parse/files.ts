/** `# File System Requirements`: what is copied into the work folder, and what is kept of it afterwards. */
import type { FileRequirement } from '../runbook.ts';
import { hasControlCharacter } from '../values.ts';
import { knownEntries } from './fields.ts';
import { type Problems, quote } from './problems.ts';
import type { YamlEntry, YamlMapping, YamlText } from './yaml.ts';

export function readFiles(mapping: YamlMapping, problems: Problems): readonly FileRequirement[] {
  const entries = knownEntries(mapping, ['Input', 'Output'], [], problems);
  return [
    ...readPaths(entries.get('Input'), 'input', problems),
    ...readPaths(entries.get('Output'), 'output', problems),
  ];
}

function readPaths(
  entry: YamlEntry | undefined,
  direction: FileRequirement['direction'],
  problems: Problems,
): readonly FileRequirement[] {
  const seen = new Set<string>();
  return pathTexts(entry, problems).flatMap(({ text, at }) => {
    const wrong = checkPath(text);
    if (wrong !== null) {
      problems.add(
        'file-path',
        at,
        `${quote(text)} ${wrong}`,
        'Write a path below the folder, such as `folder/file.txt`.',
      );
      return [];
    }
    const segments = segmentsOf(text).join('/');
    if (seen.has(segments)) {
      problems.add('file-duplicate', at, `${quote(text)} is listed twice.`, 'Keep one of them.');
      return [];
    }
    seen.add(segments);
    return [{ direction, path: text, line: at.line }];
  });
}

/** One text is one path, commas and all; empty items of a list are dropped, as in Stage0. */
function pathTexts(entry: YamlEntry | undefined, problems: Problems): readonly YamlText[] {
  if (entry === undefined || entry.value.kind === 'none') return [];
  const items = entry.value.kind === 'list' ? entry.value.items : [entry.value];
  return items.flatMap((item) => {
    if (item.kind === 'text') return [item];
    if (item.kind === 'none') return [];
    problems.add(
      'value-shape',
      item.at,
      `${quote(entry.key)} must be a path or a list of paths.`,
      'Write `- path` lines.',
    );
    return [];
  });
}

/** Null when the path is good, else what it does, to go on from its name. */
function checkPath(path: string): string | null {
  if (hasControlCharacter(path) || /[\t\r\n]/.test(path)) return 'holds a control character.';
  if (path.startsWith('/') || path.startsWith('\\') || /^[A-Za-z]:[\\/]/.test(path)) return 'is an absolute path.';
  if (path.startsWith('~')) return 'begins with `~`, which means nothing here.';
  if (path.split(/[\\/]/).includes('..')) return 'leaves its folder with `..`.';
  return segmentsOf(path).length === 0 ? 'names the folder itself.' : null;
}

function segmentsOf(path: string): readonly string[] {
  return path.split('/').filter((segment) => segment.trim() !== '' && segment !== '.');
}
