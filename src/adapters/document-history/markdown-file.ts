import type { DocumentHistory } from '../../core/ports.ts';
export function createMarkdownFileHistory(_options: { ci: boolean }): DocumentHistory {
  return {
    decide: async (mode) => ({ mode: mode === 'auto' ? 'ledger' : mode, reason: null }),
    append: async () => {},
  };
}
