/** Finds the rule that decides a call without looking at all of them, and yet the same one. */
import type { Rule } from './rule.ts';
import type { VmToken } from './vm-token.ts';

export type Ranked = { readonly rule: Rule; readonly rank: number };

/** Rules that name exactly the same things, as far as they can ever count. */
type Bucket = {
  /** Nothing behind it is ever reached. */
  decider: Ranked | undefined;
  /**
   * Rules that allow if they match, which cannot be known. Two with different users are enough: whatever user a
   * later rule allows, one of them says another.
   */
  readonly skipped: Ranked[];
};

/** By `service argument source destination`, each a literal or "*". */
export type RuleIndex = ReadonlyMap<string, Bucket>;

/** What is looked up; undefined means any, so that only rules are found that do not care. */
export type Lookup = {
  readonly service: string | undefined;
  readonly argument: string | undefined;
  readonly source: string | undefined;
  readonly destination: string | undefined;
};

/** The name that decides whether a token matches; undefined if it matches, or may match, every VM. */
const nameIn = ({ is, text }: VmToken): string | undefined => (is === 'named' ? text : undefined);

export const lookupOf = ({ service, argument, source, destination }: Rule): Lookup => ({
  service,
  argument,
  source: nameIn(source),
  destination: nameIn(destination),
});

/** Whether it depends on something that cannot be known here if the rule matches. */
export const isUncertain = ({ source, destination }: Rule): boolean =>
  source.is === 'unknowable' || destination.is === 'unknowable';

/** No other rule can be passed over: what it may have denied would be allowed further down. */
export const mayBeSkipped = (rule: Rule): boolean =>
  isUncertain(rule) && rule.action.is === 'allow' && rule.action.target === undefined;

export const neverMatches = ({ source, destination }: Rule): boolean =>
  source.is === 'never' || destination.is === 'never';

const insert = (bucket: Bucket, ranked: Ranked): void => {
  const { decider, skipped } = bucket;
  if (decider !== undefined) return;
  if (!mayBeSkipped(ranked.rule)) {
    bucket.decider = ranked;
    return;
  }
  const isOther = ({ rule }: Ranked): boolean => rule.action.user !== ranked.rule.action.user;
  if (skipped.length < 2 && skipped.every(isOther)) skipped.push(ranked);
};

export const indexRules = (rules: readonly Rule[]): RuleIndex => {
  const index = new Map<string, Bucket>();
  rules.forEach((rule, rank) => {
    if (neverMatches(rule)) return;
    const { service = '*', argument = '*', source = '*', destination = '*' } = lookupOf(rule);
    // An argument is written with its "+" lest an empty one be none.
    const key = `${service} ${argument === '*' ? '*' : `+${argument}`} ${source} ${destination}`;
    const bucket = index.get(key) ?? { decider: undefined, skipped: [] };
    index.set(key, bucket);
    insert(bucket, { rule, rank });
  });
  return index;
};

const withAny = (literal: string | undefined): readonly string[] =>
  literal === undefined ? ['*'] : [literal, '*'];

/** The buckets with all rules that can match: at most twelve. */
export const bucketsOf = (index: RuleIndex, lookup: Lookup): Bucket[] => {
  const { service, argument, source, destination } = lookup;
  const found: Bucket[] = [];
  const argumentsOf = withAny(argument === undefined ? undefined : `+${argument}`);
  const sources = withAny(source);
  const destinations = withAny(destination);
  for (const service_ of withAny(service)) {
    for (const argument_ of service_ === '*' ? ['*'] : argumentsOf) {
      for (const source_ of sources) {
        for (const destination_ of destinations) {
          const bucket = index.get(`${service_} ${argument_} ${source_} ${destination_}`);
          if (bucket !== undefined) found.push(bucket);
        }
      }
    }
  }
  return found;
};

/** The first one of some. */
export const firstOf = (some: readonly (Ranked | undefined)[]): Ranked | undefined => {
  let first: Ranked | undefined;
  for (const ranked of some) {
    if (ranked !== undefined && (first === undefined || ranked.rank < first.rank)) first = ranked;
  }
  return first;
};
