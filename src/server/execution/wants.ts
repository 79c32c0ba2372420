/** What a caller wants of an answer, by its headers (RFC 9110, 12.5.1; RFC 7240). */

/** `events`: as they come, as in Stage0. `document`: one, when the run has ended. `at-once`: where it can be asked for. */
export type AnswerForm = 'events' | 'document' | 'at-once';

export function formOf(accept: string | undefined, prefer: string | undefined): AnswerForm {
  if (prefersNotToWait(prefer ?? '')) return 'at-once';
  // Whoever takes anything gets what there always was: many clients name JSON first, and `*/*` behind it.
  return qualityOf(accept ?? '', 'application/json') > qualityOf(accept ?? '', 'text/event-stream')
    ? 'document'
    : 'events';
}

function prefersNotToWait(prefer: string): boolean {
  return prefer.split(',').some((one) => one.split(';')[0]?.trim().toLowerCase() === 'respond-async');
}

/** 0 to 1, of the most specific range that fits; 0 where none does. */
function qualityOf(accept: string, type: string): number {
  const ranges = ['*/*', `${type.split('/')[0] ?? ''}/*`, type];
  let [best, quality] = [-1, 0];
  for (const part of accept.split(',')) {
    const [range = '', ...parameters] = part.split(';').map((one) => one.trim().toLowerCase());
    const rank = ranges.indexOf(range);
    if (rank <= best) continue;
    best = rank;
    const given = parameters.find((one) => one.startsWith('q='))?.slice(2);
    const number = given === undefined ? 1 : Number(given);
    quality = Number.isNaN(number) ? 1 : Math.min(1, Math.max(0, number));
  }
  return quality;
}
