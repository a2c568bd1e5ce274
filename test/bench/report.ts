/** Prints the benchmark's results for people. */
import { type Judgement, promiseOf } from './judge.ts';
import type { Metrics } from './metric.ts';
import type { Targets } from './targets.ts';

export const printTable = (metrics: Metrics, targets: Targets): void => {
  const rows = Object.entries(metrics).map(([name, metric]) => [
    name,
    {
      vifwatch: `${metric.value} ${metric.unit}`,
      p95: metric.p95,
      peer: `${metric.peer_value} ${metric.unit} (${metric.peer})`,
      'peer p95': metric.peer_p95,
      n: metric.n,
      ratio: metric.ratio,
      last: targets[name]?.last,
      promise: promiseOf(metric, targets[name]),
    },
  ]);
  console.table(Object.fromEntries(rows));
};

export const printJudgement = ({ misses, warnings }: Judgement): void => {
  for (const warning of warnings) console.error(`bench: warning: ${warning}`);
  for (const miss of misses) console.error(`bench: MISSED: ${miss}`);
};
