/**
 * Answers calls from other VMs. This VM's policy decides first; the service is searched for only after that.
 */
import type { Logger } from 'pino';
import { systemClock } from '../../system/clock.ts';
import type { LoadedPolicy } from '../config/load-policy.ts';
import type { VmName } from '../config/vm-name.ts';
import { decideCall } from '../policy/decide-call.ts';
import type { IncomingCall } from '../protocol/call.ts';
import { runService } from '../services/run-service.ts';
import type { Services } from '../services/services.ts';
import { classifyCall } from './classify-call.ts';
import type { RateLimitLog } from './log-rate-limit.ts';
import type { Caller, Self } from './peer.ts';
import type { Relay } from './relay.ts';

export type CallHandlerPorts = {
  readonly self: Self;
  /** The name of this VM's relay, or its own if it is one. */
  readonly relay: () => VmName | undefined;
  readonly forward: Relay['forward'];
  readonly policy: () => LoadedPolicy;
  readonly services: Services;
  readonly log: Logger;
  /** Limits the log lines that one peer can cause. */
  readonly rateLimitLog: RateLimitLog;
};

const nameOf = ({ request: { service, argument } }: IncomingCall): string =>
  argument === '' ? service : `${service}+${argument}`;

/** The calling VM. A relayed call has no domid, because nothing proves it. */
type Source = {
  readonly source: VmName;
  readonly domid: Caller['domid'] | undefined;
  readonly via: VmName | undefined;
};

/** Returns a function that answers calls. It never rejects, and every call gets an answer. */
export const createCallHandler = (ports: CallHandlerPorts) => {
  const { self, relay, forward, policy, services, log, rateLimitLog } = ports;
  let calls = 0;

  const serve = async ({ source, domid, via }: Source, call: IncomingCall): Promise<void> => {
    calls += 1;
    const who = { call: calls, from: source, domid, via, service: nameOf(call) };
    const startedAt = systemClock.now();
    const { service, argument } = call.request;
    const verdict = decideCall(policy().policy, {
      source,
      self: self.name,
      service,
      argument,
      relayed: via !== undefined,
    });
    const { action, rule, reason, user, notify } = verdict;
    const say = (write: (suppressed: number | undefined) => void): void =>
      rateLimitLog(source, write, via);
    say((suppressed) => {
      const facts = { ...who, verdict: action, rule, user, suppressed };
      log[notify ? 'warn' : 'info'](facts, action === 'allow' ? 'allowed' : `denied: ${reason}`);
    });
    if (action === 'deny') {
      call.refuse({ code: 'denied', text: "denied by the called VM's policy" });
      return;
    }
    const { request, stdin, stdout, stderr, cancelled } = call;
    const ending = await runService(
      { request, source, via, user, stdin, stdout, stderr, cancelled },
      services,
    );
    if (ending.kind === 'refused') call.refuse(ending.refusal);
    else call.exit(ending.status);
    const ms = Math.round(systemClock.now() - startedAt);
    say((suppressed) =>
      log.info({ ...who, ...ending, ms, cancelled: cancelled.aborted, suppressed }, 'ended'),
    );
  };

  return async (caller: Caller, call: IncomingCall): Promise<void> => {
    const classified = classifyCall({ self: self.name, relay: relay() }, caller.name, call.request);
    switch (classified.kind) {
      case 'call': {
        const { source, via } = classified;
        return await serve({ source, via, domid: via ? undefined : caller.domid }, call);
      }
      case 'to-relay':
        return await forward(caller.name, classified.target, call);
      case 'refused': {
        const { request } = call;
        const { code, text } = classified.refusal;
        rateLimitLog(caller.name, (suppressed) => {
          const facts = { peer: caller.name, domid: caller.domid, ...request, suppressed };
          log.warn(facts, `${code}: ${text}`);
        });
        call.refuse(classified.refusal);
      }
    }
  };
};
