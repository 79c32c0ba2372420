/** Wrong documents: what a case is, and how one is put together from the part that is wrong. */
import type { ParseOptions } from '../../../../src/core/parse/parse.ts';
import type { RuleId } from '../../../../src/core/parse/rules.ts';
import { classic, fence, section, steps } from './documents.ts';

export interface Case {
  readonly rule: RuleId;
  readonly name: string;
  readonly text: string | Uint8Array;
  readonly options?: ParseOptions;
  readonly line?: number;
  readonly also?: readonly RuleId[];
}

export const env = (yaml: string): string => classic({ env: section('Environment Requirements', yaml) });
export const files = (yaml: string): string => classic({ files: section('File System Requirements', yaml) });
export const middle = (text: string): string => classic({ middle: text });
export const script = (text: string): string => classic({ script: `# Script\n${text}` });
export const step = (yaml: string): string => steps(`## One\n${fence('yaml', yaml)}${fence('bash', 'true')}`);
