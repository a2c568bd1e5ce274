/** Decides a call by the called VM's policy. */
import type { Diagnostic } from '../../text/diagnostic.ts';
import { type CallRule, isArgument, isServiceName } from './call-rule.ts';
import { bucketsOf, firstOf, isUncertain, type RuleIndex } from './rule-index.ts';
import { isPolicyVmName } from './vm-token.ts';

export type CallPolicy =
  | { readonly kind: 'rules'; readonly index: RuleIndex }
  /** The policy's directory does not exist. */
  | { readonly kind: 'absent' }
  | { readonly kind: 'invalid'; readonly diagnostics: readonly Diagnostic[] };

/**
 * A call to decide. The names come from dom0, or from the relay that this VM trusts, never from the peer
 * itself.
 */
export type PolicyRequest = {
  readonly source: string;
  readonly self: string;
  readonly service: string;
  /** The text after the "+"; empty if there is none. */
  readonly argument: string;
  /** Whether a relay vouches for the source. */
  readonly relayed: boolean;
};

type Reason =
  | 'allowed by rule'
  | 'denied by rule'
  | 'the rule asks, but nobody can answer'
  | 'the rule redirects the call to another VM'
  | 'the rule does not allow relayed calls'
  | 'the rule may or may not match: tags, types and UUIDs are unknown here'
  | 'no matching rule'
  | 'no policy: its directory does not exist'
  | 'policy invalid'
  | 'a VM cannot call itself'
  | 'invalid VM, service or argument name';

export type Verdict = {
  readonly action: 'allow' | 'deny';
  readonly user: string | undefined;
  /** `file:line` of the rule that decided. */
  readonly rule: string | undefined;
  readonly notify: boolean;
  readonly reason: Reason;
};

const uncertain: Reason = 'the rule may or may not match: tags, types and UUIDs are unknown here';

const denialWithoutRule = (reason: Reason): Verdict => ({
  action: 'deny',
  user: undefined,
  rule: undefined,
  notify: true,
  reason,
});

const denialByRule = ({ place, action }: CallRule, reason: Reason): Verdict => ({
  action: 'deny',
  user: undefined,
  rule: place,
  // Only "deny" has a `notify` for its own denials.
  notify: action.kind === 'deny' ? action.notify : true,
  reason,
});

/** The reason why the matching rule does not allow the call; undefined if it does. */
const objection = (rule: CallRule, { self, relayed }: PolicyRequest): Reason | undefined => {
  const { action } = rule;
  if (isUncertain(rule)) return uncertain;
  if (action.kind === 'deny') return 'denied by rule';
  if (action.kind === 'ask') return 'the rule asks, but nobody can answer';
  const isForeign = action.target !== undefined && action.target !== self;
  if (isForeign) return 'the rule redirects the call to another VM';
  return relayed && !action.relayed ? 'the rule does not allow relayed calls' : undefined;
};

const isWellFormed = ({ source, self, service, argument }: PolicyRequest): boolean =>
  isPolicyVmName(source) && isPolicyVmName(self) && isServiceName(service) && isArgument(argument);

/**
 * The first matching rule decides, and every call that is not clearly allowed is denied. A rule that may or
 * may not match denies too. If such a rule would allow the call, later rules may still allow it, but only as
 * the same user.
 */
export const decideCall = (policy: CallPolicy, request: PolicyRequest): Verdict => {
  if (policy.kind === 'invalid') return denialWithoutRule('policy invalid');
  if (!isWellFormed(request)) return denialWithoutRule('invalid VM, service or argument name');
  if (request.source === request.self) return denialWithoutRule('a VM cannot call itself');
  if (policy.kind === 'absent') return denialWithoutRule('no policy: its directory does not exist');
  const { source, self, service, argument } = request;
  const lookup = { service, argument, source, destination: self };
  const buckets = bucketsOf(policy.index, lookup);
  const decider = firstOf(buckets.map((bucket) => bucket.decider));
  if (decider === undefined) return denialWithoutRule('no matching rule');
  const { rule, rank } = decider;
  const reason = objection(rule, request);
  if (reason !== undefined) return denialByRule(rule, reason);
  const { user, notify } = rule.action;
  const other = firstOf(
    buckets.flatMap(({ skipped }) => skipped.filter((entry) => entry.rule.action.user !== user)),
  );
  if (other !== undefined && other.rank < rank) {
    return denialByRule(other.rule, uncertain);
  }
  return { action: 'allow', user, rule: rule.place, notify, reason: 'allowed by rule' };
};
