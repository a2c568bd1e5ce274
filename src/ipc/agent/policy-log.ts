/** Logs a newly read policy. It is a warning or an error if the agent denies every call. */
import type { Logger } from 'pino';
import { placeText } from '../../text/diagnostic.ts';
import type { LoadedPolicy } from '../config/load-policy.ts';

export const logPolicy = (log: Logger, { policy, rules, files }: LoadedPolicy): void => {
  switch (policy.kind) {
    case 'rules':
      log.info({ files, rules: rules.length }, 'the policy is in force');
      return;
    case 'absent':
      log.warn({ code: 'POLICY_ABSENT' }, 'there is no policy: every call is denied');
      return;
    case 'invalid':
      for (const { place, text } of policy.diagnostics)
        log.error({ code: 'POLICY_INVALID' }, `${placeText(place)}: ${text}`);
      log.error({ code: 'POLICY_INVALID' }, 'every call is denied until the policy is corrected');
  }
};
