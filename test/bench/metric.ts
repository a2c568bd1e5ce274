/** Metrics: the statistics of vifwatch's samples and of a peer's samples from the same run. */
import assert from 'node:assert/strict';

export type Metric = {
  /** The median. */
  readonly value: number;
  /** 95 % of the samples are this good or better. */
  readonly p95: number;
  readonly unit: string;
  /** The number of samples of each side; 1 is a single reading. */
  readonly n: number;
  readonly peer: string;
  readonly peer_value: number;
  readonly peer_p95: number;
  /** A ratio above 1 is better than the peer. */
  readonly ratio: number;
};

export type Metrics = Readonly<Record<string, Metric>>;

const ascending = (values: readonly number[]): readonly number[] =>
  values.toSorted((a, b) => a - b);

export const median = (values: readonly number[]): number => {
  const sorted = ascending(values);
  const middle = sorted.length / 2;
  const [low = Number.NaN, high = low] = [
    sorted[Math.ceil(middle) - 1],
    sorted[Math.floor(middle)],
  ];
  return (low + high) / 2;
};

/** p95 by nearest rank, so it is one of the samples; with fewer than 20 samples it is the worst one. */
const p95 = (bestFirst: readonly number[]): number =>
  bestFirst[Math.ceil((bestFirst.length * 95) / 100) - 1] ?? Number.NaN;

const rounded = (value: number): number => Number(value.toPrecision(3));

type Side = { readonly name: string; readonly bestFirst: readonly number[] };

const metric = (unit: string, own: Side, peer: Side, ratio: number): Metric => {
  for (const { name, bestFirst } of [own, peer]) {
    const isMeasured =
      bestFirst.length > 0 && bestFirst.every((value) => value > 0 && value < Infinity);
    assert.ok(isMeasured, `${name}: not measured: ${bestFirst} ${unit}`);
  }
  assert.equal(own.bestFirst.length, peer.bestFirst.length, `as many samples of ${peer.name}`);
  return {
    value: rounded(median(own.bestFirst)),
    p95: rounded(p95(own.bestFirst)),
    unit,
    n: own.bestFirst.length,
    peer: peer.name,
    peer_value: rounded(median(peer.bestFirst)),
    peer_p95: rounded(p95(peer.bestFirst)),
    ratio: rounded(ratio),
  };
};

/** A metric for which less is better. Its ratio is the ratio of the medians. */
export const lessIsBetter = (
  unit: string,
  values: readonly number[],
  peer: string,
  peerValues: readonly number[],
): Metric =>
  metric(
    unit,
    { name: 'vifwatch', bestFirst: ascending(values) },
    { name: peer, bestFirst: ascending(peerValues) },
    median(peerValues) / median(values),
  );

/**
 * A metric for which more is better, measured by turns with its peer. Its ratio is the median of the turns'
 * ratios, which does not change if the machine is slow for some turns.
 */
export const moreIsBetter = (
  unit: string,
  values: readonly number[],
  peer: string,
  peerValues: readonly number[],
): Metric =>
  metric(
    unit,
    { name: 'vifwatch', bestFirst: ascending(values).toReversed() },
    { name: peer, bestFirst: ascending(peerValues).toReversed() },
    median(values.map((value, turn) => value / (peerValues[turn] ?? Number.NaN))),
  );
