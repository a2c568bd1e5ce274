import { defineConfig } from 'vitest/config';

/** What measures no time: it computes, or compares what a rig has become in the end. */
const timeless = [
  'test/{call-policy,cli,config,core,dom0,protocol,services}/**/*.test.ts',
  'test/daemon/{bad-values,cli-*,convergence,differential,export-large,policy-model}.test.ts',
  'test/native/{load,operations,sanitizer,transaction,tree}.test.ts',
];

export default defineConfig({
  test: {
    root: new URL('..', import.meta.url).pathname,
    // The machine may have other things to do just then; what is broken fails twice.
    retry: 1,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    projects: [
      {
        extends: true,
        test: {
          name: 'timeless',
          include: timeless,
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'rigs',
          include: ['test/**/*.test.ts'],
          exclude: timeless,
          // They measure times and use both cores: side by side they would only disturb each other.
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
