import { describe, expect, test } from 'vitest';
import { filterOf } from '../../../../../src/cli/commands/history/filter.ts';
import { checkOptions, formatOf } from '../../../../../src/cli/commands/history/options.ts';
import type { HistoryOptions } from '../../../../../src/cli/commands/history/options.ts';
import { RunbookError } from '../../../../../src/core/errors.ts';

const NOW = new Date('2026-03-15T12:00:00.000Z');

describe('what the ledger is asked', () => {
  test.each<[HistoryOptions, object]>([
    [{}, { limit: 20 }],
    [{ format: 'csv' }, { limit: 1000 }],
    [{ format: 'markdown', limit: '5' }, { limit: 5 }],
    [{ json: true }, { limit: 20 }],
    [
      { runbook: 'Drain.md', subject: 'anna', incident: 'INC-1' },
      { limit: 20, runbook: 'Drain', subject: 'anna', incident: 'INC-1' },
    ],
    [{ outcome: ['failed, refused', 'failed'] }, { limit: 20, outcomes: ['failed', 'refused'] }],
    [
      { since: '2026-03-01', until: '2026-03-01' },
      { limit: 20, since: '2026-03-01T00:00:00.000Z', until: '2026-03-02T00:00:00.000Z' },
    ],
    [
      { since: '7d', until: '24h' },
      { limit: 20, since: '2026-03-08T12:00:00.000Z', until: '2026-03-14T12:00:00.000Z' },
    ],
  ])('%j', (options, filter) => {
    expect(filterOf(options, NOW)).toEqual(filter);
  });

  test.each<[HistoryOptions, RegExp]>([
    [{ since: 'yesterday' }, /--since: “yesterday” is no date/],
    [{ until: '2026-02-30' }, /--until: “2026-02-30” is no date/],
    [{ since: '2026-03-02', until: '2026-03-01' }, /--since .* is not before --until/],
    [{ since: '1d', until: '1d' }, /--since .* is not before --until/],
    [{ outcome: ['failed,exploded'] }, /“exploded” is not an outcome/],
    [{ outcome: [''] }, /“” is not an outcome/],
    [{ limit: '1e3' }, /--limit is not a number/],
    [{ limit: '0' }, /--limit is not a number/],
    [{ limit: '10001' }, /--limit is not a number/],
    [{ limit: '1.5' }, /--limit is not a number/],
  ])('%j is refused', (options, says) => {
    const ask = (): unknown => filterOf(options, NOW);
    expect(ask).toThrow(says);
    expect(ask).toThrow(RunbookError);
  });
});

describe('options that do not go together', () => {
  test.each<[HistoryOptions, boolean, RegExp]>([
    [{ document: true }, false, /--document needs a run/],
    [{ artifact: 'a' }, false, /--artifact needs a run/],
    [{ artifact: 'a', document: true }, true, /both given/],
    [{ document: true, format: 'markdown' }, true, /--document prints the bytes/],
    [{ artifact: 'a', json: true }, true, /--artifact prints the bytes/],
    [{ since: '1d' }, true, /--since chooses among runs/],
    [{ limit: '3' }, true, /--limit chooses among runs/],
    [{ format: 'csv', json: true, document: true }, true, /--json and --format csv/],
  ])('%j, of one run: %s', (options, isOneRun, says) => {
    expect(() => {
      checkOptions(options, isOneRun);
    }).toThrow(says);
  });

  test('others do', () => {
    expect(formatOf({ format: 'json', json: true })).toBe('json');
    expect(() => {
      checkOptions({ document: true, format: 'text' }, true);
    }).not.toThrow();
  });
});
