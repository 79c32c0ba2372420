/** What an incident may be called. It stands in lists, tables and names of tickets. */

export const MAX_INCIDENT_LENGTH = 200;

export function isIncident(text: string): boolean {
  const isLine = text.trim() !== '' && !/[\p{Cc}\u2028\u2029]/u.test(text);
  return isLine && Array.from(text).length <= MAX_INCIDENT_LENGTH;
}
