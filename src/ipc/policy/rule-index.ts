/** Finds the rule that decides a call without looking at all of them, and yet the same one. */
import type { CallRule } from './call-rule.ts';
import type { VmToken } from './vm-token.ts';

export type Ranked = { readonly rule: CallRule; readonly rank: number };

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

/** By scope and pair, as `scopeKeys` and `pairKeys` write them. */
export type RuleIndex = ReadonlyMap<string, ReadonlyMap<string, Bucket>>;

/** What is looked up; undefined means any, so that only rules are found that do not care. */
export type Lookup = {
  readonly service: string | undefined;
  readonly argument: string | undefined;
  readonly source: string | undefined;
  readonly destination: string | undefined;
};

/** The name that decides whether a token matches; undefined if it matches, or may match, every VM. */
const nameIn = ({ kind, text }: VmToken): string | undefined =>
  kind === 'named' ? text : undefined;

export const lookupOf = ({ service, argument, source, destination }: CallRule): Lookup => ({
  service,
  argument,
  source: nameIn(source),
  destination: nameIn(destination),
});

/** Whether it depends on something that cannot be known here if the rule matches. */
export const isUncertain = ({ source, destination }: CallRule): boolean =>
  source.kind === 'unknowable' || destination.kind === 'unknowable';

/** No other rule can be passed over: what it may have denied would be allowed further down. */
export const mayBeSkipped = (rule: CallRule): boolean => {
  const { kind, target, relayed } = rule.action;
  return isUncertain(rule) && kind === 'allow' && target === undefined && relayed;
};

export const neverMatches = ({ source, destination }: CallRule): boolean =>
  source.kind === 'never' || destination.kind === 'never';

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

/** The keys of the scopes that cover one, itself first. No name holds a "+", nor is one "*". */
const scopeKeys = ({ service, argument }: Lookup): [string, ...string[]] => {
  if (service === undefined) return ['*'];
  return argument === undefined ? [service, '*'] : [`${service}+${argument}`, service, '*'];
};

/** Those of the pairs of VMs. No name holds a space. */
const pairKeys = ({ source, destination }: Lookup): [string, ...string[]] => {
  if (source === undefined)
    return destination === undefined ? ['* *'] : [`* ${destination}`, '* *'];
  if (destination === undefined) return [`${source} *`, '* *'];
  return [`${source} ${destination}`, `${source} *`, `* ${destination}`, '* *'];
};

export const indexRules = (rules: readonly CallRule[]): RuleIndex => {
  const index = new Map<string, Map<string, Bucket>>();
  rules.forEach((rule, rank) => {
    if (neverMatches(rule)) return;
    const lookup = lookupOf(rule);
    const [scope] = scopeKeys(lookup);
    const [pair] = pairKeys(lookup);
    const pairs = index.get(scope) ?? new Map<string, Bucket>();
    const bucket = pairs.get(pair) ?? { decider: undefined, skipped: [] };
    index.set(scope, pairs.set(pair, bucket));
    insert(bucket, { rule, rank });
  });
  return index;
};

/** The buckets with all rules that can match: at most twelve. */
export const bucketsOf = (index: RuleIndex, lookup: Lookup): Bucket[] => {
  const found: Bucket[] = [];
  const keys = pairKeys(lookup);
  for (const scope of scopeKeys(lookup)) {
    const pairs = index.get(scope);
    if (pairs === undefined) continue;
    for (const key of keys) {
      const bucket = pairs.get(key);
      if (bucket !== undefined) found.push(bucket);
    }
  }
  return found;
};

/** The first one of some. */
export const firstOf = (entries: readonly (Ranked | undefined)[]): Ranked | undefined => {
  let first: Ranked | undefined;
  for (const ranked of entries) {
    if (ranked !== undefined && (first === undefined || ranked.rank < first.rank)) first = ranked;
  }
  return first;
};
