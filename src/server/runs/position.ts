/** Where a reader of a run's events is: what it has been told, however it was cut into pieces. The `id` of an event. */
export interface Position {
  /** Of the output, both streams together; what was not kept counts as well. */
  readonly bytes: number;
  readonly states: number;
  readonly notices: number;
}

export const BEGINNING: Position = { bytes: 0, states: 0, notices: 0 };

export function formatPosition({ bytes, states, notices }: Position): string {
  return `${bytes}.${states}.${notices}`;
}

/** Null for what is no position. */
export function parsePosition(text: string): Position | null {
  if (!/^\d{1,15}\.\d{1,6}\.\d{1,9}$/.test(text)) return null;
  const [bytes = 0, states = 0, notices = 0] = text.split('.').map(Number);
  return { bytes, states, notices };
}
