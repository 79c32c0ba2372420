/** What is made of a page before it becomes a document. */

export interface Note {
  /** In the page. */
  readonly line: number;
  /** One sentence, without its full stop. */
  readonly text: string;
}

/** A line of prose and where it stands in the page. */
export interface Prose {
  readonly line: number;
  readonly text: string;
  /** Inside of a fence, where everything is text. */
  readonly isCode?: boolean;
}

export interface ScriptLines {
  readonly lines: readonly string[];
  /** Of the first of them in the page. */
  readonly line: number;
}

export interface DraftStep {
  readonly name: string;
  readonly line: number;
  readonly prose: readonly Prose[];
  /** Null: by hand; `manual` says what. */
  readonly script: ScriptLines | null;
  readonly manual: string | null;
  /** How a person takes it back. */
  readonly rollback: ScriptLines | null;
}

export interface Draft {
  readonly title: string | null;
  readonly description: readonly Prose[];
  readonly steps: readonly DraftStep[];
  readonly notes: readonly Note[];
}
