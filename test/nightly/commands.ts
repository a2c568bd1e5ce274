/** The commands of the nightly run: tests, scenarios on real Xen, and benchmarks. */
import { metricsMeetTargets, scenariosPass, testsCount } from './judge.ts';
import type { Command } from './run-command.ts';

/**
 * The command for these tests. It has no test timeout, because larger samples take longer; `hangFactor` ends
 * hung tests.
 */
export const vitest = (
  tests: string | readonly string[],
  sample: Readonly<Record<string, string>> = {},
): Command => ({
  argv: [
    ...['node_modules/.bin/vitest', 'run', '--config', 'test/vitest.config.ts'],
    ...[tests].flat(),
    ...['--reporter=default', '--reporter=json', '--testTimeout=0'],
  ],
  env: sample,
});

const typescript = (file: string, ...args: readonly string[]): Command => ({
  argv: ['node', '--import', 'tsx', file, ...args],
  env: {},
});

type Sample = {
  readonly file: string;
  /** The environment variable that sets the size of the sample. */
  readonly variable: string;
  /** The name of the figure that the test prints; `atLeast` is its bound. */
  readonly counts: string;
  readonly atLeast: number;
};

export const sampled = ({ file, variable, counts, atLeast }: Sample) => ({
  ...vitest(file, { [variable]: `${atLeast}` }),
  judge: testsCount(counts, atLeast),
  bound: `at least ${atLeast} ${counts}`,
});

export const lab = (name: string) => ({
  part: 'lab',
  name,
  judge: scenariosPass,
  ...typescript('test/rig/lab/lab.ts', name),
  // Each run has its own directory, because a run removes the logs of an earlier run in the same directory.
  env: { VIFWATCH_LAB_LOGS: `.cache/nightly/lab/${name}.guests` },
  bound: 'all scenarios pass',
});

export const bench = (name: string) => ({
  part: 'bench',
  name,
  ...typescript('test/bench/bench.ts', name),
  judge: metricsMeetTargets,
  bound: 'the targets of test/bench/targets.toml',
});
