/**
 * A test file's suffix tells what it needs, which decides when it runs and which files run beside it:
 * `.test.ts` needs no rig; `.rig.test.ts` needs the fast rig; `.timed.test.ts` needs the machine for itself;
 * `.lab.test.ts` needs the true rig; `.fault.test.ts` and `.nightly.test.ts` need the fast rig, and only
 * `npm run nightly` runs them.
 */

import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { coverageFloors } from './coverage/floors.ts';
import { hangMs } from './support/until.ts';

const suffixes = {
  rig: 'test/**/*.rig.test.ts',
  timed: 'test/**/*.timed.test.ts',
  lab: 'test/**/*.lab.test.ts',
  fault: 'test/**/*.fault.test.ts',
  nightly: 'test/**/*.nightly.test.ts',
};

/** Starts the true rig's file first, because it takes longest; the fast rigs' files run beside it. */
class LabFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isLab = ({ moduleId }: TestSpecification): boolean => moduleId.endsWith('.lab.test.ts');
    const sorted = await super.sort(files);
    return [...sorted.filter(isLab), ...sorted.filter((file) => !isLab(file))];
  }
}

const root = new URL('..', import.meta.url).pathname;

export default defineConfig({
  test: {
    root,
    globalSetup: 'test/support/leftovers.ts',
    // These limits only end hung tests; a test that measures a time checks its own bound.
    testTimeout: 4 * hangMs,
    hookTimeout: 4 * hangMs,
    expect: { poll: { timeout: hangMs, interval: 10 } },
    sequence: { sequencer: LabFirst },
    // Only the tests without rigs run with --coverage.
    coverage: {
      provider: 'v8',
      include: ['src/**/*.ts'],
      reporter: ['text-summary'],
      reportsDirectory: '.cache/coverage/unit',
      thresholds: { statements: coverageFloors.unit },
    },
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: Object.values(suffixes),
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'rigs',
          include: [suffixes.rig, suffixes.lab],
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: 'timed',
          include: [suffixes.timed],
          fileParallelism: false,
          sequence: { groupOrder: 2 },
        },
      },
      {
        extends: true,
        test: {
          name: 'faults',
          include: [suffixes.fault],
          maxWorkers: 2,
          sequence: { groupOrder: 3 },
        },
      },
      {
        extends: true,
        test: {
          name: 'nightly',
          include: [suffixes.nightly],
          maxWorkers: 2,
          sequence: { groupOrder: 4 },
        },
      },
    ],
  },
});
