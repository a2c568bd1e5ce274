/** What the benchmark reports: each metric beside a peer from the same run. */

export type Metric = {
  readonly value: number;
  readonly unit: string;
  readonly peer: string;
  readonly peer_value: number;
  /** Above 1: better than the peer. */
  readonly ratio: number;
};

export const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const [low = Number.NaN, high = low] = [
    sorted[Math.ceil(middle) - 1],
    sorted[Math.floor(middle)],
  ];
  return (low + high) / 2;
};

const rounded = (value: number): number => Number(value.toPrecision(3));

/** A metric of which less is better. */
export const lessIsBetter = (
  unit: string,
  value: number,
  peer: string,
  peerValue: number,
): Metric => ({
  value: rounded(value),
  unit,
  peer,
  peer_value: rounded(peerValue),
  ratio: rounded(peerValue / value),
});

/**
 * A metric of which more is better, measured in turns with its peer. The ratio is the median of the turns' own, which
 * a machine that is slow for some turns does not move.
 */
export const moreIsBetter = (
  unit: string,
  values: readonly number[],
  peer: string,
  peerValues: readonly number[],
): Metric => ({
  value: rounded(median(values)),
  unit,
  peer,
  peer_value: rounded(median(peerValues)),
  ratio: rounded(median(values.map((value, turn) => value / (peerValues[turn] ?? Number.NaN)))),
});

/** A table for people. */
export const printTable = (metrics: Readonly<Record<string, Metric>>): void => {
  const rows = Object.entries(metrics).map(([name, metric]) => [name, { metric }] as const);
  console.table(
    Object.fromEntries(
      rows.map(([name, { metric }]) => [
        name,
        {
          vifwatch: `${metric.value} ${metric.unit}`,
          peer: `${metric.peer_value} ${metric.unit} (${metric.peer})`,
          ratio: metric.ratio,
        },
      ]),
    ),
  );
};
