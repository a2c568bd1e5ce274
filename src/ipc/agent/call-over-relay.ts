/** A program's call over the relay, to a VM with which this VM has no direct link. */
import type { Clock } from '../../system/clock.ts';
import type { VmName } from '../config/vm-name.ts';
import type { IncomingCall, Outcome } from '../protocol/call.ts';
import { vouchingVersion } from '../protocol/limits.ts';
import type { Mux } from '../protocol/mux.ts';
import type { Peers } from './peers.ts';
import type { RelayedCalls } from './relayed-calls.ts';
import { openRepeatableInput } from './repeatable-input.ts';
import { endLocalCall, forwardOutputs, spliceCalls } from './splice-calls.ts';

type CallOverRelayPorts = {
  readonly peers: Pick<Peers, 'linkNow' | 'reach' | 'seek'>;
  readonly relayed: Pick<RelayedCalls, 'add'>;
  readonly clock: Clock;
};

/** Calls the VM over the relay. Rejects with an Error, before any output, that says why there is no link. */
type CallOverRelay = (call: IncomingCall, name: VmName, relay: VmName) => Promise<void>;

/**
 * The longest wait for a direct link after the relay refused a call. If both agents run, the link is up by
 * then.
 */
const directWithinMs = 1_000;

/** Whether the peer can relay. An older agent would take a call to another VM for a call to itself. */
export const mayRelay = (link: Mux): boolean => link.version() >= vouchingVersion;

const byWayOf = (relay: VmName, outcome: Outcome): Outcome => {
  if (outcome.kind !== 'refused' || outcome.refusal.code !== 'unreachable') return outcome;
  const text = `over relay ${relay}: ${outcome.refusal.text}`;
  return { kind: 'refused', refusal: { code: 'unreachable', text } };
};

export const createCallOverRelay = (ports: CallOverRelayPorts): CallOverRelay => {
  const { peers, relayed, clock } = ports;

  const relayLink = async (relay: VmName, signal: AbortSignal): Promise<Mux> => {
    const link = await peers.reach(relay, signal);
    if (mayRelay(link)) return link;
    throw new Error(`the agent of ${relay} is too old to relay calls`);
  };

  /**
   * The first link that is up: direct, or with the relay. Rejects with an Error that says why there is none.
   */
  const firstLink = async (name: VmName, relay: VmName, cancelled: AbortSignal) => {
    const now = peers.linkNow(relay);
    if (now !== undefined && mayRelay(now)) return { link: now, isDirect: false };
    const enough = new AbortController();
    const signal = AbortSignal.any([cancelled, enough.signal]);
    try {
      return await Promise.any([
        peers.reach(name, signal).then((link) => ({ link, isDirect: true })),
        relayLink(relay, signal).then((link) => ({ link, isDirect: false })),
      ]);
    } catch (error) {
      const reasons = (error as AggregateError).errors as readonly Error[];
      throw new Error(reasons.map(({ message }) => message).join('; '));
    } finally {
      enough.abort();
    }
  };

  /** The direct link, if it comes up soon. */
  const directLink = async (name: VmName, cancelled: AbortSignal): Promise<Mux | undefined> => {
    const enough = new AbortController();
    const late = clock.after(directWithinMs, () => enough.abort()).unref();
    try {
      return await peers.reach(name, AbortSignal.any([cancelled, enough.signal]));
    } catch {
      return undefined;
    } finally {
      late.cancel();
    }
  };

  return async (call, name, relay) => {
    const { service, argument } = call.request;
    // Later calls may have a direct link: dom0 may have allowed it meanwhile.
    peers.seek(name);
    const { link, isDirect } = await firstLink(name, relay, call.cancelled);
    const own = { target: '', service, argument };
    if (isDirect) return await spliceCalls(call, link.open(own));
    const input = openRepeatableInput(call.stdin);
    const remote = link.open({ target: name, service, argument });
    relayed.add(name, remote);
    input.sayTo(remote);
    const outcome = await forwardOutputs(call, remote);
    if (!input.mayRepeat(outcome)) return endLocalCall(call, byWayOf(relay, outcome));
    const direct = await directLink(name, call.cancelled);
    if (direct === undefined) return endLocalCall(call, byWayOf(relay, outcome));
    const again = direct.open(own);
    input.sayTo(again);
    endLocalCall(call, await forwardOutputs(call, again));
  };
};
