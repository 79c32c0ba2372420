/** Replaced by the build with the version of package.json. */
declare const RUNBOOK_VERSION: string | undefined;

export const VERSION: string = typeof RUNBOOK_VERSION === 'string' ? RUNBOOK_VERSION : '0.0.0-source';
