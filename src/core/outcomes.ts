/** What a run can have come to, as it is asked for. */
export const ALL_OUTCOMES = [
  'succeeded',
  'failed',
  'timed-out',
  'canceled',
  'limit-exceeded',
  'spawn-failed',
  'refused',
  'interrupted',
] as const;
