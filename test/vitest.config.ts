import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    root: new URL('..', import.meta.url).pathname,
    include: ['test/**/*.test.ts'],
    // A thousand cycles and their memory are for a quiet night: VIFWATCH_NIGHTLY=1 npm test.
    exclude: process.env['VIFWATCH_NIGHTLY'] ? [] : ['test/daemon/residue.test.ts'],
    // Rigs measure times and use both cores: side by side they would only disturb each other.
    fileParallelism: false,
    // The machine may have other things to do just then; what is broken fails twice.
    retry: 1,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
