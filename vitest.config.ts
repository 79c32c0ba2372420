import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    environment: 'node',
    // The long versions of the property tests take up to an hour each.
    testTimeout: process.env['RUNBOOK_TEST_LONG'] === undefined ? 120_000 : 3_600_000,
    hookTimeout: 120_000,
    fileParallelism: true,
    maxWorkers: 2,
    allowOnly: false,
  },
});
