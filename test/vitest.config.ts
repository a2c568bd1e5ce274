import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    root: new URL('..', import.meta.url).pathname,
    include: ['test/**/*.test.ts'],
    // Rigs measure times and use both cores: side by side they would only disturb each other.
    fileParallelism: false,
    // The machine may have other things to do just then; what is broken fails twice.
    retry: 1,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
