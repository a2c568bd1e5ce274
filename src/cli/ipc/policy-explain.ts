/** `vifwatch policy explain`: shows a call's verdict, the rule that decides, and why earlier rules do not. */

import { loadPolicy } from '../../ipc/config/load-policy.ts';
import type { CallRule } from '../../ipc/policy/call-rule.ts';
import { decideCall, type PolicyRequest, type Verdict } from '../../ipc/policy/decide-call.ts';
import { mayBeSkipped } from '../../ipc/policy/rule-index.ts';
import type { VmToken } from '../../ipc/policy/vm-token.ts';
import { parseService } from '../../ipc/protocol/call.ts';
import { placeText } from '../../text/diagnostic.ts';
import { ownName } from '../../xen/connect.ts';
import { type CheckOptions, errorsOf, policyDirectoryOf } from './policy-check.ts';

type ExplainOptions = CheckOptions & {
  readonly source: string;
  /** The service with its argument. */
  readonly service: string;
  readonly self?: string;
  readonly relayed?: true;
};

const excludes = ({ kind, text }: VmToken, name: string): boolean =>
  kind === 'never' || (kind === 'named' && text !== name);

/** The reason why a rule for the service does not decide the call. */
const whyNot = (rule: CallRule, { source, self, argument }: PolicyRequest): string => {
  if (rule.argument !== undefined && rule.argument !== argument) return 'another argument';
  if (excludes(rule.source, source)) return 'another source';
  if (excludes(rule.destination, self)) return 'another destination';
  return mayBeSkipped(rule) ? 'unknown whether it matches' : 'not reached';
};

const textOf = ({ place, words }: CallRule): string =>
  `${place}: ${words.map(({ text }) => text).join(' ')}`;

const explanation = (
  verdict: Verdict,
  rules: readonly CallRule[],
  request: PolicyRequest,
): readonly string[] => {
  const spoken = rules.filter(
    ({ service }) => service === undefined || service === request.service,
  );
  const end = spoken.findIndex(({ place }) => place === verdict.rule);
  const before = end < 0 ? spoken : spoken.slice(0, end);
  const decider = end < 0 ? undefined : spoken[end];
  const user = verdict.user === undefined ? '' : ` as ${verdict.user}`;
  return [
    `${verdict.action}${user}: ${verdict.reason}`,
    ...(decider ? [`  ${textOf(decider)}`] : []),
    ...(before.length > 0
      ? [`${decider ? 'earlier rules' : 'rules'} for ${request.service}:`]
      : []),
    ...before.map((rule) => `  ${textOf(rule)}  (${whyNot(rule, request)})`),
  ];
};

/** Prints the explanation and returns the exit status: 0 if the call is allowed, 1 if not. */
export const explainPolicy = async (options: ExplainOptions): Promise<number> => {
  const { source, relayed = false } = options;
  const loaded = await loadPolicy(policyDirectoryOf(options));
  const self = options.self ?? (await ownName());
  const request = { source, self, ...parseService(options.service), relayed };
  const verdict = decideCall(loaded.policy, request);
  const errors = errorsOf(loaded);
  const lines =
    errors.length > 0
      ? [
          `${verdict.action}: ${verdict.reason}`,
          ...errors.map(({ place, text }) => `  ${placeText(place)}: ${text}`),
        ]
      : explanation(verdict, loaded.rules, request);
  process.stdout.write(`${lines.join('\n')}\n`);
  return verdict.action === 'allow' ? 0 : 1;
};
