/** The benchmark's results for people. */
import type { Metrics } from './metric.ts';

export const printTable = (metrics: Metrics): void => {
  const rows = Object.entries(metrics).map(([name, metric]) => [
    name,
    {
      vifwatch: `${metric.value} ${metric.unit}`,
      p95: metric.p95,
      peer: `${metric.peer_value} ${metric.unit} (${metric.peer})`,
      'peer p95': metric.peer_p95,
      n: metric.n,
      ratio: metric.ratio,
    },
  ]);
  console.table(Object.fromEntries(rows));
};
