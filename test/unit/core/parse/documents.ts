/** Documents for the parser's tests: two valid ones, and ways to change them. */
import { expect } from 'vitest';
import type { ParseOptions } from '../../../../src/core/parse/parse.ts';
import { parseRunbook } from '../../../../src/core/parse/parse.ts';
import type { ParseResult, Runbook } from '../../../../src/core/runbook.ts';

export function parse(text: string | Uint8Array, options: ParseOptions = {}): ParseResult {
  return parseRunbook(typeof text === 'string' ? new TextEncoder().encode(text) : text, options);
}

/** `# <heading>` and a yaml block. */
export function section(heading: string, yaml: string): string {
  return `# ${heading}\n\`\`\`yaml\n${yaml}\n\`\`\`\n\n`;
}

export const fence = (tag: string, body: string): string => `\`\`\`${tag}\n${body}\n\`\`\`\n\n`;

export interface Parts {
  readonly title?: string;
  readonly env?: string;
  readonly files?: string;
  /** Text between the requirements and the script or steps. */
  readonly middle?: string;
  readonly script?: string;
  readonly history?: string;
}

/** A valid classic document; every part can be replaced as text. */
export function classic(parts: Parts = {}): string {
  return [
    parts.title ?? '# Restart\n\nRestarts the service.\n\n',
    parts.env ?? section('Environment Requirements', 'HOST: where it runs'),
    parts.files ?? '# File System Requirements\n\n',
    parts.middle ?? '',
    parts.script ?? `# Script\n${fence('sh', 'echo "$HOST"')}`,
    parts.history ?? '# History\n',
  ].join('');
}

/** A valid document of steps; `body` is what stands under `# Steps`. */
export function steps(body?: string, middle = ''): string {
  return `# Drain\n\nMoves work away.\n\n${section('Environment Requirements', 'NODE: which\nDB_PASSWORD: secret by its name')}${middle}# Steps\n\n${
    body ?? `## Cordon\n${fence('bash', 'true')}`
  }`;
}

export const claims = (yaml: string): string => section('Required Claims', yaml);

/** The runbook of a document that must be valid and without warnings. */
export function good(text: string, options: ParseOptions = {}): Runbook {
  const { runbook, problems } = parse(text, options);
  expect(problems).toEqual([]);
  if (runbook === null) throw new Error('no runbook and no problem');
  return runbook;
}
