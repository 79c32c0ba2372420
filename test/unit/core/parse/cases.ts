/** One wrong document at least for each rule. */
import type { Case } from './case.ts';
import { MISSPELT, OUT_OF_SIGHT } from './cases-claims.ts';
import { DATA } from './cases-data.ts';
import { DOCUMENT, SECTIONS } from './cases-document.ts';
import { SCRIPTS } from './cases-scripts.ts';
import { YAML } from './cases-yaml.ts';

export const CASES: readonly Case[] = [
  ...DOCUMENT,
  ...SECTIONS,
  ...YAML,
  ...DATA,
  ...SCRIPTS,
  ...MISSPELT,
  ...OUT_OF_SIGHT,
];
