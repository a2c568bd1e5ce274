/** Whether a call may be made, as the policy of the VM that is called says. */
import type { Diagnostic } from '../../text/diagnostic.ts';
import { type CallRule, isArgument, isServiceName } from './call-rule.ts';
import { bucketsOf, firstOf, isUncertain, type RuleIndex } from './rule-index.ts';
import { isPolicyVmName } from './vm-token.ts';

export type CallPolicy =
  | { readonly kind: 'rules'; readonly index: RuleIndex }
  /** Not even a directory to look for it in. */
  | { readonly kind: 'absent' }
  | { readonly kind: 'invalid'; readonly diagnostics: readonly Diagnostic[] };

/** Who calls and who is called are names that dom0 gave, or the relay that this VM trusts; never what a peer says of itself. */
export type PolicyRequest = {
  readonly source: string;
  readonly self: string;
  readonly service: string;
  /** The text after the "+"; empty if there is none. */
  readonly argument: string;
  /** Whether the source is a relay's word. */
  readonly relayed: boolean;
};

type Reason =
  | 'allowed by rule'
  | 'denied by rule'
  | 'the rule asks, and there is nobody to be asked'
  | 'the rule redirects the call to another VM'
  | 'the rule allows no call by way of a relay'
  | 'the rule may or may not match: tags, types and UUIDs are unknown here'
  | 'no matching rule'
  | 'no policy: its directory does not exist'
  | 'policy invalid'
  | 'a VM does not call itself'
  | 'no VM or service is called so';

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
  ...{ action: 'deny', user: undefined, rule: undefined, notify: true },
  reason,
});

const denialByRule = ({ place, action }: CallRule, reason: Reason): Verdict => ({
  ...{ action: 'deny', user: undefined, rule: place },
  // Only "deny" says of itself whether its denials are worth a notice.
  notify: action.kind === 'deny' ? action.notify : true,
  reason,
});

/** What is wrong with the rule as one that allows the call, if anything is. */
const objection = (rule: CallRule, { self, relayed }: PolicyRequest): Reason | undefined => {
  const { action } = rule;
  if (isUncertain(rule)) return uncertain;
  if (action.kind === 'deny') return 'denied by rule';
  if (action.kind === 'ask') return 'the rule asks, and there is nobody to be asked';
  const isForeign = action.target !== undefined && action.target !== self;
  if (isForeign) return 'the rule redirects the call to another VM';
  return relayed && !action.relayed ? 'the rule allows no call by way of a relay' : undefined;
};

const isWellFormed = ({ source, self, service, argument }: PolicyRequest): boolean =>
  isPolicyVmName(source) && isPolicyVmName(self) && isServiceName(service) && isArgument(argument);

/**
 * First match, and everything that is not clearly allowed is denied. A rule of which it cannot be known whether it
 * matches denies too; if it would allow, the rules behind it may still do so, but as no other user.
 */
export const decideCall = (policy: CallPolicy, request: PolicyRequest): Verdict => {
  if (policy.kind === 'invalid') return denialWithoutRule('policy invalid');
  if (!isWellFormed(request)) return denialWithoutRule('no VM or service is called so');
  if (request.source === request.self) return denialWithoutRule('a VM does not call itself');
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
