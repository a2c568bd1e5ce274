/** Judges whether a run of the benchmark keeps the promises of targets.toml. */
import type { Metric, Metrics } from './metric.ts';
import type { Target, Targets } from './targets.ts';

/** A ratio below this share of the last accepted ratio is a warning. */
const fallen = 0.8;

export type Judgement = {
  /** One line for each broken promise; any line fails the run. */
  readonly misses: readonly string[];
  readonly warnings: readonly string[];
};

type Bound = { readonly isKept: boolean; readonly measured: string; readonly promised: string };

const ratioBound = ({ ratio }: Metric, target: number): Bound => ({
  isKept: ratio >= target,
  measured: `ratio ${ratio}`,
  promised: `ratio >= ${target}`,
});

const valueBound = ({ value, unit }: Metric, most: number): Bound => ({
  isKept: value <= most,
  measured: `${value} ${unit}`,
  promised: `<= ${most} ${unit}`,
});

const distanceBound = ({ value, peer_value, unit }: Metric, most: number): Bound => ({
  isKept: value - peer_value <= most,
  measured: `${value} ${unit}, its peer ${peer_value} ${unit}`,
  promised: `<= peer + ${most} ${unit}`,
});

const boundsOf = (metric: Metric, { target, at_most, at_most_above_peer }: Target): Bound[] => [
  ...(target === undefined ? [] : [ratioBound(metric, target)]),
  ...(at_most === undefined ? [] : [valueBound(metric, at_most)]),
  ...(at_most_above_peer === undefined ? [] : [distanceBound(metric, at_most_above_peer)]),
];

/** The promises of a metric as text; empty if it has none. */
export const promiseOf = (metric: Metric, target: Target | undefined): string =>
  (target === undefined ? [] : boundsOf(metric, target)).map(({ promised }) => promised).join(', ');

const missesOf = (name: string, metric: Metric, target: Target | undefined): string[] => {
  if (target === undefined) return [`${name}: not in targets.toml`];
  if (target.unit !== undefined && target.unit !== metric.unit)
    return [`${name}: measured in ${metric.unit}, its bound is in ${target.unit}`];
  return boundsOf(metric, target)
    .filter(({ isKept }) => !isKept)
    .map(({ measured, promised }) => `${name}: measured ${measured}; promised ${promised}`);
};

const warningsOf = (name: string, { ratio }: Metric, target: Target | undefined): string[] =>
  target !== undefined && ratio < fallen * target.last
    ? [`${name}: ratio ${ratio} is less than ${fallen} of the last ratio, ${target.last}`]
    : [];

/** Judges metrics. @param targets the targets of the parts that were run */
export const judge = (metrics: Metrics, targets: Targets): Judgement => {
  const measured = Object.entries(metrics);
  const missing = Object.keys(targets).filter((name) => !(name in metrics));
  return {
    misses: [
      ...measured.flatMap(([name, metric]) => missesOf(name, metric, targets[name])),
      ...missing.map((name) => `${name}: not measured`),
    ],
    warnings: measured.flatMap(([name, metric]) => warningsOf(name, metric, targets[name])),
  };
};
