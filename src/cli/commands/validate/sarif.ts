/** Problems as SARIF 2.1.0 (OASIS), which code scanning reads. */
import path from 'node:path';
import { RULES } from '../../../core/parse/rules.ts';
import type { Edit, Problem } from '../../../core/runbook.ts';
import type { Validation } from '../../../engine/queries.ts';
import { VERSION } from '../../../version.ts';

const SCHEMA = 'https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json';

/** One run of one tool; repairs that are certain come with their results. @param place as for `annotations` */
export function sarifReport(validations: readonly Validation[], place: (shown: string) => string): string {
  const rules = rulesOf(validations);
  const indexes = new Map(rules.map(({ id }, index) => [id, index]));
  const results = validations.flatMap(({ displayPath, problems }) => {
    const location = { uri: uriOf(place(displayPath)) };
    return problems.map((problem) => ({
      ruleId: problem.rule,
      ruleIndex: indexes.get(problem.rule) ?? -1,
      level: problem.severity,
      message: { text: `${problem.message} ${problem.fix}` },
      locations: [
        {
          physicalLocation: {
            artifactLocation: location,
            region: { startLine: problem.line, startColumn: problem.column },
          },
        },
      ],
      ...(problem.edit !== undefined && { fixes: [fixOf(problem, problem.edit, location)] }),
    }));
  });
  const driver = { name: 'runbook', semanticVersion: VERSION, version: VERSION, rules };
  const run = { tool: { driver }, columnKind: 'utf16CodeUnits', results };
  return `${JSON.stringify({ $schema: SCHEMA, version: '2.1.0', runs: [run] }, null, 2)}\n`;
}

interface RuleDescriptor {
  readonly id: string;
  readonly shortDescription?: { readonly text: string };
  readonly defaultConfiguration: { readonly level: string };
}

/** The rules of the format, and behind them what else was found (variables, inputs, interpreters, documents that are not there). */
function rulesOf(validations: readonly Validation[]): readonly RuleDescriptor[] {
  const known = Object.entries(RULES).map(([id, { severity, meaning }]) => ({
    id,
    shortDescription: { text: meaning },
    defaultConfiguration: { level: severity },
  }));
  const found = new Set(validations.flatMap(({ problems }) => problems.map(({ rule }) => rule)));
  const others = [...found].filter((id) => !Object.hasOwn(RULES, id)).sort();
  return [...known, ...others.map((id) => ({ id, defaultConfiguration: { level: 'error' } }))];
}

function fixOf({ fix }: Problem, edit: Edit, artifactLocation: { readonly uri: string }): unknown {
  const deletedRegion = {
    startLine: edit.line,
    startColumn: edit.column,
    endLine: edit.endLine,
    endColumn: edit.endColumn,
  };
  return {
    description: { text: fix },
    artifactChanges: [{ artifactLocation, replacements: [{ deletedRegion, insertedContent: { text: edit.text } }] }],
  };
}

/** A relative reference of RFC 3986, or a `file:` address. */
function uriOf(file: string): string {
  const segments = file.toWellFormed().split('/').map(encodeURIComponent).join('/');
  return path.isAbsolute(file) ? `file://${segments}` : segments;
}
