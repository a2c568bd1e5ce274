/** The TOML table `[share]`. */
import * as v from 'valibot';
import type { Shares } from '../state/shares.ts';

/** No table of the kernel is larger. */
const largest = 10_000_000;

/** By key: its name in `Shares`, and the default, which no usual VM needs. */
const keys = {
  flows: ['flows', 8_192],
  new_flows: ['newFlows', 500],
  fragments: ['fragments', 2_000],
  neighbours: ['neighbours', 20],
  icmp_errors: ['icmpErrors', 50],
} as const satisfies Readonly<Record<string, readonly [keyof Shares, number]>>;

type Key = keyof typeof keys;

const countOf = (key: Key) =>
  v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(largest)), keys[key][1]);

const tableSchema = v.strictObject({
  flows: countOf('flows'),
  new_flows: countOf('new_flows'),
  fragments: countOf('fragments'),
  neighbours: countOf('neighbours'),
  icmp_errors: countOf('icmp_errors'),
});

export const sharesSchema = v.pipe(
  v.optional(tableSchema, {}),
  v.transform(
    (table): Shares => ({
      flows: table.flows,
      newFlows: table.new_flows,
      fragments: table.fragments,
      neighbours: table.neighbours,
      icmpErrors: table.icmp_errors,
    }),
  ),
);

/** The keys whose values differ from their defaults. */
export const shareKeys = (shares: Shares): readonly (readonly [key: string, value: number])[] =>
  Object.entries(keys).flatMap(([key, [name, fallback]]) =>
    shares[name] === fallback ? [] : [[key, shares[name]] as const],
  );
