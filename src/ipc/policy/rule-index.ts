/** Finds the rule that decides a call, without a search through all rules. */
import type { CallRule } from './call-rule.ts';
import type { VmToken } from './vm-token.ts';

type Ranked = { readonly rule: CallRule; readonly rank: number };

/** The rules with the same scope and the same pair of VMs, as far as they can ever matter. */
type Bucket = {
  /** The first rule that decides for certain. Later rules of the bucket are never reached. */
  decider: Ranked | undefined;
  /**
   * Rules that allow if they match, but nobody knows whether they do. Two rules with different users are
   * enough: any later rule's user differs from at least one of them.
   */
  readonly skipped: Ranked[];
};

/** The buckets by scope and pair, with the keys of `scopeKeys` and `pairKeys`. */
export type RuleIndex = ReadonlyMap<string, ReadonlyMap<string, Bucket>>;

/** The values to look up. Undefined means any: it finds only rules that match every value. */
type Lookup = {
  readonly service: string | undefined;
  readonly argument: string | undefined;
  readonly source: string | undefined;
  readonly destination: string | undefined;
};

/** The name that decides whether a token matches; undefined if it matches, or may match, every VM. */
const nameIn = ({ kind, text }: VmToken): string | undefined =>
  kind === 'named' ? text : undefined;

/** The lookup that finds all rules which cover this rule. */
export const lookupOf = ({ service, argument, source, destination }: CallRule): Lookup => ({
  service,
  argument,
  source: nameIn(source),
  destination: nameIn(destination),
});

/** Whether the rule's match depends on facts that are unknown here. */
export const isUncertain = ({ source, destination }: CallRule): boolean =>
  source.kind === 'unknowable' || destination.kind === 'unknowable';

/**
 * Whether the search may go on after this rule, though it may match. Any other uncertain rule must end the
 * search: a later rule could allow a call that it denies.
 */
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

/**
 * The keys of all scopes that cover the lookup's, its own first. No name contains a "+", and no name is "*".
 */
const scopeKeys = ({ service, argument }: Lookup): [string, ...string[]] => {
  if (service === undefined) return ['*'];
  return argument === undefined ? [service, '*'] : [`${service}+${argument}`, service, '*'];
};

/** The keys of all VM pairs that cover the lookup's, its own first. No name contains a space. */
const pairKeys = ({ source, destination }: Lookup): [string, ...string[]] => {
  if (source === undefined)
    return destination === undefined ? ['* *'] : [`* ${destination}`, '* *'];
  if (destination === undefined) return [`${source} *`, '* *'];
  return [`${source} ${destination}`, `${source} *`, `* ${destination}`, '* *'];
};

/** Indexes the rules, which are in the order of the policy. */
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

/** Returns the buckets of all rules that can match: at most twelve. */
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

/** Returns the entry with the lowest rank. */
export const firstOf = (entries: readonly (Ranked | undefined)[]): Ranked | undefined => {
  let first: Ranked | undefined;
  for (const ranked of entries) {
    if (ranked !== undefined && (first === undefined || ranked.rank < first.rank)) first = ranked;
  }
  return first;
};
