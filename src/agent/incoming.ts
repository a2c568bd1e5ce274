/** Calls from other VMs: judged by this VM's own policy, and only then looked for. */
import type { Logger } from 'pino';
import { decide } from '../call-policy/decide.ts';
import type { LoadedPolicy } from '../call-policy/load-policy.ts';
import type { IncomingCall } from '../protocol/call.ts';
import { runService } from '../services/run-service.ts';
import type { Services } from '../services/services.ts';
import type { Spend } from './log-budget.ts';
import type { Caller, Self } from './peer.ts';

export type IncomingPorts = {
  readonly self: Self;
  readonly policy: () => LoadedPolicy;
  readonly services: Services;
  readonly log: Logger;
  /** What of a peer's doing is logged at all. */
  readonly spend: Spend;
};

const nameOf = ({ request: { service, argument } }: IncomingCall): string =>
  argument === '' ? service : `${service}+${argument}`;

/** Gives what answers calls; it never throws, and every call gets an answer. */
export const openIncoming = (ports: IncomingPorts) => {
  const { self, policy, services, log, spend } = ports;
  let calls = 0;

  return async (caller: Caller, call: IncomingCall): Promise<void> => {
    calls += 1;
    const who = {
      call: calls,
      from: caller.name,
      domid: caller.domid,
      service: nameOf(call),
    };
    const startedAt = performance.now();
    const { service, argument } = call.request;
    const verdict = decide(policy().policy, {
      source: caller.name,
      self: self.name,
      service,
      argument,
    });
    const { action, rule, reason, user, notify } = verdict;
    spend(caller.name, (suppressed) => {
      const facts = { ...who, verdict: action, rule, user, suppressed };
      log[notify ? 'warn' : 'info'](facts, action === 'allow' ? 'allowed' : `denied: ${reason}`);
    });
    if (action === 'deny') {
      call.refuse({ code: 'denied', text: 'denied by the policy of the VM that was called' });
      return;
    }
    const ending = await runService(
      {
        request: call.request,
        source: caller.name,
        sourceDomid: caller.domid,
        user,
        stdin: call.stdin,
        stdout: call.stdout,
        stderr: call.stderr,
        cancelled: call.cancelled,
      },
      services,
    );
    if (ending.kind === 'refused') call.refuse(ending.refusal);
    else call.exit(ending.status);
    const ms = Math.round(performance.now() - startedAt);
    spend(caller.name, (suppressed) =>
      log.info({ ...who, ...ending, ms, cancelled: call.cancelled.aborted, suppressed }, 'ended'),
    );
  };
};
