import { defineConfig } from 'vitest/config';
import { BaseSequencer } from 'vitest/node';
import type { TestSpecification } from 'vitest/node';

/** Half a minute and more each: the first of all, or one of them would run alone at the end. */
const SLOW = [
  'containment.test.ts',
  'executor.test.ts',
  'output.test.ts',
  'script-ends.test.ts',
  'killed.test.ts',
  'package.test.ts',
  'nearly-full.test.ts',
  'recover.test.ts',
  'canaries.test.ts',
  'core/audit.test.ts',
  'jwt-mutation.test.ts',
  'slow-clients.test.ts',
  'serve/care.test.ts',
];

class SlowestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isSlow = ({ moduleId }: TestSpecification): boolean => SLOW.some((name) => moduleId.endsWith(`/${name}`));
    const sorted = await super.sort(files);
    return [...sorted.filter(isSlow), ...sorted.filter((file) => !isSlow(file))];
  }
}

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    environment: 'node',
    globalSetup: ['test/helpers/compiled-code.ts'],
    // The long versions of the property tests take up to an hour each.
    testTimeout: process.env['RUNBOOK_TEST_LONG'] === undefined ? 120_000 : 3_600_000,
    hookTimeout: 120_000,
    fileParallelism: true,
    sequence: { sequencer: SlowestFirst },
    maxWorkers: 4,
    // Of tests that say that they may: they mostly wait, and who does more takes a lane (test/helpers/lanes.ts).
    maxConcurrency: 16,
    allowOnly: false,
  },
});
