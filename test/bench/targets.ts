/** targets.toml: the targets of the benchmark's metrics, and their last accepted ratios. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import * as v from 'valibot';
import { parseStrict } from '../../src/toml/strict-toml.ts';

/** The parts of the benchmark, each of which can run alone. */
export const partNames = ['network', 'forwarding', 'calls'] as const;
export type PartName = (typeof partNames)[number];

const positive = v.pipe(v.number(), v.gtValue(0, 'must be more than 0'));

const target = v.pipe(
  v.strictObject({
    part: v.picklist(partNames),
    target: v.optional(positive),
    at_most: v.optional(positive),
    at_most_above_peer: v.optional(positive),
    unit: v.optional(v.string()),
    last: positive,
  }),
  v.check(
    ({ at_most, at_most_above_peer, unit }) =>
      (at_most === undefined && at_most_above_peer === undefined) === (unit === undefined),
    'at_most and at_most_above_peer need a unit, and a unit needs one of them',
  ),
);

export type Target = Readonly<v.InferOutput<typeof target>>;
export type Targets = Readonly<Record<string, Target>>;

/** @throws CONFIG_INVALID with the place of the error in the text */
export const parseTargets = (file: string, text: string): Targets =>
  parseStrict(file, text, v.record(v.string(), target));

export const loadTargets = (): Targets => {
  const file = fileURLToPath(new URL('targets.toml', import.meta.url));
  return parseTargets(file, readFileSync(file, 'utf8'));
};

export const targetsOf = (targets: Targets, parts: readonly PartName[]): Targets =>
  Object.fromEntries(Object.entries(targets).filter(([, { part }]) => parts.includes(part)));
