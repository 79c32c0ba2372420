/** The one table of rules of RUNBOOK_FORMAT.md: id → severity and meaning. A test holds the two equal. */
import type { Severity } from '../runbook.ts';

interface Rule {
  readonly severity: Severity;
  readonly meaning: string;
}

const error = (meaning: string): Rule => ({ severity: 'error', meaning });
const warning = (meaning: string): Rule => ({ severity: 'warning', meaning });

export const RULES = {
  // the document
  'not-utf8': error('The text before `# History` is UTF-8.'),
  'control-character': error('The text before `# History` has no control character but tab and line break.'),
  'hidden-character': error('What a machine acts on has no invisible or direction-changing character.'),
  'document-too-large': error(
    'The part before `# History` is at most 1 MiB and has at most 20,000 lines and 10,000 headings and fences.',
  ),
  'document-empty': error('A document is not empty.'),
  'front-matter': error('A document has no front matter.'),
  'title-missing': error('The first line is `# <Name>`.'),
  'title-differs': warning('The title is the file name without `.md`.'),
  'nesting-too-deep': error('Quotes and lists are nested at most 64 deep.'),
  'fence-unclosed': error('Every fence before `# History` is closed.'),
  'raw-html': error(
    'A document has no raw HTML but whole comments and plain formatting: what it hides on a page would run all the same.',
  ),

  // sections
  'section-missing': error('A document has `# Script` and its companions, or `# Steps`.'),
  'section-duplicate': error('A section appears once.'),
  'section-misspelt': error('No top-level heading is nearly, but not quite, the name of a section.'),
  'section-unknown': warning('A top-level heading is the name of a section.'),
  'section-misplaced': warning('The name of a section stands in a heading only where it begins that section.'),
  'section-reserved': error('A section that a later version will understand is not used yet.'),
  'section-after-history': error('`# History` is the last section.'),
  'section-without-yaml': warning('A section of requirements that has text has a yaml block.'),
  'kinds-mixed': error('A document has `# Script` or `# Steps`, not both.'),

  // yaml blocks
  'yaml-missing': error('A section of claims, limits or metadata has a yaml block.'),
  'yaml-fence-tag': error('The fence of a yaml block is tagged exactly `yaml`.'),
  'yaml-several-blocks': error('A section or a step has at most one yaml block.'),
  'yaml-too-large': error('A yaml block is at most 64 KiB.'),
  'yaml-too-deep': error('A yaml block is nested at most 16 deep.'),
  'yaml-syntax': error('A yaml block is YAML 1.2.'),
  'yaml-feature': error(
    'A yaml block has no anchors, aliases, tags, merge keys, directives or keys that are not text.',
  ),
  'yaml-duplicate-key': error('A key appears once in its mapping.'),
  'yaml-not-mapping': error('A yaml block is a mapping.'),
  'key-unknown': error('A key is one that the section or step knows.'),
  'key-reserved': error('A key that a later version will understand is not used yet.'),
  'value-shape': error('A value has the shape that its key asks for.'),

  // metadata
  'format-unsupported': error('`format` is at most 1.'),
  'metadata-value': error('A value under `# Metadata` has the form that its key asks for.'),
  'review-overdue': warning('The day of `review_by` has not passed.'),

  // environment requirements
  'env-name': error('A variable is named with ASCII letters, digits and `_`, and no digit first.'),
  'env-denied': error('A variable does not have a name that nobody may set.'),
  'env-type': error('`type` is text, integer, boolean or duration.'),
  'env-choices': error('`choices` has values, each good for type and pattern.'),
  'env-pattern': error('`pattern` is a regular expression of the supported subset.'),
  'env-default': error('`default` is good for type, choices and pattern.'),
  'env-secret': error('The value of a secret does not stand in the document.'),
  'env-generate': error('`generate` is 8 to 1024, on a secret and without other rules for its value.'),

  // file system requirements
  'file-path': error('A path is relative, stays below its folder and names something in it.'),
  'file-duplicate': error('A path is listed once under `Input` and once under `Output`.'),

  // required claims
  'claims-misspelt': error(
    'Nothing reads like the heading of `# Required Claims` in a document that has no such section.',
  ),
  'claims-shape': error('Claims are a mapping of claim names to texts or lists of texts.'),
  'claims-empty': error('Every alternative requires a claim, and every claim has a value.'),
  'claims-alternatives': error('Only a document of steps lists alternatives.'),

  // limits
  'limit-duration': error('A duration is above zero, up to 24 days, and has units: `90s`, `10m`, `1h30m`.'),
  'limit-size': error('A size is a whole number above zero with `KiB`, `MiB` or `GiB`.'),
  'limit-count': error('A count is a whole number from 1 to 100000.'),

  // scripts
  'script-missing': error('`# Script` has a fence tagged `sh`, `bash`, `zsh` or `python`.'),
  'script-empty': error('A script has at least one line that is not blank.'),
  'script-extra-fence': warning('`# Script` has one fence; further ones are never executed.'),
  'shebang-refused': error('A shebang names a known interpreter in a system folder with plain options.'),

  // steps
  'steps-missing': error('`# Steps` has at least one `## <Step name>`.'),
  'step-name': error('A step has a name that is not the name of a part of a step.'),
  'step-duplicate': error('The name of a step is unique.'),
  'step-part': error('A part of a step is `### Done when` or `### Rollback`, once.'),
  'step-fence': error('A step is prose, at most one yaml block, then one script; each part has one script.'),
  'step-script-missing': error('A step has a script, or `manual`; a part has a script.'),
  'step-manual': error('A manual step has no script and no key of a script.'),
  'step-confirm': error('`confirm_typing` names a declared variable that is no secret.'),
  'step-text': warning('A name in `confirm` and `manual` is that of a variable whose value can be shown there.'),
  'step-outputs': error("`outputs` names variables of the step's own that may be set."),

  // silencing
  'allow-unknown': warning('`<!-- runbook: allow rule-id -->` names a warning.'),
  'problems-truncated': warning('At most 200 problems are shown.'),
} as const satisfies Record<string, Rule>;

export type RuleId = keyof typeof RULES;
