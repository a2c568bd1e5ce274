/** Decides a call by a scan of all rules: the reference that the index must agree with. */

import type { CallRule } from '../../../src/ipc/policy/call-rule.ts';
import type { PolicyRequest, Verdict } from '../../../src/ipc/policy/decide-call.ts';

const neverHere = ['dom0', '@adminvm', 'uuid:00000000-0000-0000-0000-000000000000', '@default'];

/** Whether a token matches a VM's name; undefined for tags, types and UUIDs, which are unknown here. */
const matches = (token: string, name: string): boolean | undefined => {
  if (token === '*' || token === '@anyvm') return true;
  if (neverHere.includes(token) || token.startsWith('@dispvm')) return false;
  if (token.startsWith('@tag:') || token.startsWith('@type:')) return undefined;
  return token.startsWith('uuid:') ? undefined : token === name;
};

const deny = (rule?: CallRule) =>
  ({ action: 'deny', user: undefined, rule: rule?.place }) as const satisfies Partial<Verdict>;

/** Decides a request, which must be well-formed. */
export const decideLinearly = (
  rules: readonly CallRule[],
  { source, self, service, argument, relayed }: PolicyRequest,
): Pick<Verdict, 'action' | 'user' | 'rule'> => {
  if (source === self) return deny();
  const doubtful: CallRule[] = [];
  for (const rule of rules) {
    if (rule.service !== undefined && rule.service !== service) continue;
    if (rule.argument !== undefined && rule.argument !== argument) continue;
    const from = matches(rule.source.text, source);
    const to = matches(rule.destination.text, self);
    if (from === false || to === false) continue;
    const { kind, target, user } = rule.action;
    if (from === undefined || to === undefined) {
      if (kind !== 'allow' || target !== undefined || !rule.action.relayed) return deny(rule);
      doubtful.push(rule);
      continue;
    }
    if (kind !== 'allow' || (target !== undefined && target !== self)) return deny(rule);
    if (relayed && !rule.action.relayed) return deny(rule);
    const other = doubtful.find(({ action }) => action.user !== user);
    return other ? deny(other) : { action: 'allow', user, rule: rule.place };
  }
  return deny();
};
