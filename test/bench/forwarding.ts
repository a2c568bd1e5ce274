/** The cost of rules for packets: vifwatch with 1, 40 and 1000 vifs, plain routing, and linear rules. */
import { type Metrics, moreIsBetter } from './metric.ts';
import { type Router, type RouterKind, startRouter } from './router.ts';
import { buildTraffic, countArrivals, packetsThrough, streamThrough } from './traffic.ts';

type Variant = 'plain' | 'own1' | 'own40' | 'own1000' | 'linear1000';

const variants: Readonly<Record<Variant, { readonly kind: RouterKind; readonly vifs: number }>> = {
  plain: { kind: 'plain', vifs: 1 },
  own1: { kind: 'vifwatch', vifs: 1 },
  own40: { kind: 'vifwatch', vifs: 40 },
  own1000: { kind: 'vifwatch', vifs: 1000 },
  linear1000: { kind: 'linear', vifs: 1000 },
};

/** Many short turns instead of few long ones, because other load seldom lasts for half of the turns. */
const streams = { rounds: 41, seconds: 0.2, of: ['plain', 'own1', 'own40', 'own1000'] } as const;
const packets = {
  rounds: 15,
  seconds: 0.2,
  of: ['plain', 'own1', 'own40', 'own1000', 'linear1000'],
} as const;

type Turns = ReadonlyMap<Variant, readonly number[]>;

/**
 * Measures all variants by turns, so that other load affects all alike; each round begins with another
 * variant.
 */
const inTurns = async (
  { rounds, of }: { readonly rounds: number; readonly of: readonly Variant[] },
  measure: (variant: Variant) => Promise<number>,
): Promise<Turns> => {
  const turns = new Map(of.map((variant) => [variant, [] as number[]]));
  for (let round = 0; round < rounds; round++) {
    const first = round % of.length;
    for (const variant of [...of.slice(first), ...of.slice(0, first)]) {
      turns.get(variant)?.push(await measure(variant));
    }
  }
  return turns;
};

const compare = (turns: Turns, unit: string, peer: string) => (own: Variant, other: Variant) =>
  moreIsBetter(unit, turns.get(own) ?? [], peer, turns.get(other) ?? []);

const measureAll = async (routers: ReadonlyMap<Variant, Router>) => {
  const routerOf = (variant: Variant): Router => {
    const router = routers.get(variant);
    if (router === undefined) throw new Error(`no router ${variant}`);
    return router;
  };
  const program = await buildTraffic(routerOf('plain'));
  await Promise.all([...routers.values()].map(countArrivals));
  const stream = await inTurns(streams, (variant) =>
    streamThrough(routerOf(variant), program, streams.seconds),
  );
  const small = await inTurns(packets, (variant) =>
    packetsThrough(routerOf(variant), program, packets.seconds),
  );
  const versusPlain = 'plain routing';
  const versusOne = 'with 1 vif';
  return {
    forward_1_over_plain: compare(stream, 'Gbit/s', versusPlain)('own1', 'plain'),
    forward_40_over_1: compare(stream, 'Gbit/s', versusOne)('own40', 'own1'),
    forward_1000_over_1: compare(stream, 'Gbit/s', versusOne)('own1000', 'own1'),
    pps_1_over_plain: compare(small, 'kpps', versusPlain)('own1', 'plain'),
    pps_40_over_1: compare(small, 'kpps', versusOne)('own40', 'own1'),
    pps_1000_over_1: compare(small, 'kpps', versusOne)('own1000', 'own1'),
    pps_1000_over_linear: compare(small, 'kpps', '1000 rule pairs')('own1000', 'linear1000'),
  };
};

/** Takes about a minute. @param say prints the next step */
export const measureForwarding = async (say: (text: string) => void): Promise<Metrics> => {
  say('forwarding with 1, 40 and 1000 vifs, with plain routing and with linear rules');
  const routers = new Map<Variant, Router>();
  try {
    for (const [variant, { kind, vifs }] of Object.entries(variants)) {
      routers.set(variant as Variant, await startRouter(kind, vifs));
    }
    return await measureAll(routers);
  } finally {
    await Promise.all([...routers.values()].map(({ host }) => host.close()));
  }
};
