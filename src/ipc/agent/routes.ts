/**
 * Chooses the path of a program's call: the direct link with the VM, or the relay if there is no direct link.
 */
import { isDomainMapName, type VmName } from '../config/vm-name.ts';
import type { CallRequest, IncomingCall, Outcome } from '../protocol/call.ts';
import { vouchingVersion } from '../protocol/limits.ts';
import type { Mux } from '../protocol/mux.ts';
import type { PeerStatus } from './peer-status.ts';
import type { Peers } from './peers.ts';
import { openRelayedCalls } from './relayed-calls.ts';
import { openRepeatableInput } from './repeatable-input.ts';
import { endLocalCall, forwardOutputs, spliceCalls } from './splice-calls.ts';

export type RoutesPorts = {
  /** This VM's name. */
  readonly self: string;
  readonly peers: Peers;
  /** The name of this VM's relay, or its own if it is one. */
  readonly relay: () => VmName | undefined;
};

export type Routes = {
  /** Makes a program's call to its target VM. Never rejects, and every call gets an answer. */
  readonly place: (call: IncomingCall) => Promise<void>;
  readonly status: () => readonly PeerStatus[];
};

/**
 * The longest wait for a direct link after the relay refused a call. If both agents run, the link is up by
 * then.
 */
const directWithinMs = 1_000;

/** Whether the peer can relay. An older agent would take a call to another VM for a call to itself. */
const mayRelay = (link: Mux): boolean => link.version() >= vouchingVersion;

const byWayOf = (relay: VmName, outcome: Outcome): Outcome => {
  if (outcome.kind !== 'refused' || outcome.refusal.code !== 'unreachable') return outcome;
  const text = `over relay ${relay}: ${outcome.refusal.text}`;
  return { kind: 'refused', refusal: { code: 'unreachable', text } };
};

export const openRoutes = ({ self, peers, relay }: RoutesPorts): Routes => {
  const relayed = openRelayedCalls();

  /** @throws Error if the target is not another VM's name */
  const nameOf = ({ target }: CallRequest): VmName => {
    if (!isDomainMapName(target)) throw new Error('the target is not a valid VM name');
    if (target === self) throw new Error('a VM cannot call itself');
    return target;
  };

  const relayFor = (name: VmName): VmName | undefined => {
    const found = relay();
    return found === self || found === name ? undefined : found;
  };

  const relayLink = async (name: VmName, signal: AbortSignal): Promise<Mux> => {
    const link = await peers.reach(name, signal);
    if (mayRelay(link)) return link;
    throw new Error(`the agent of ${name} is too old to relay calls`);
  };

  /**
   * The first link that is up: direct, or with the relay. Rejects with an Error that says why there is none.
   */
  const firstLink = async (name: VmName, over: VmName, cancelled: AbortSignal) => {
    const now = peers.linkNow(over);
    if (now !== undefined && mayRelay(now)) return { link: now, isDirect: false };
    const enough = new AbortController();
    const signal = AbortSignal.any([cancelled, enough.signal]);
    try {
      return await Promise.any([
        peers.reach(name, signal).then((link) => ({ link, isDirect: true })),
        relayLink(over, signal).then((link) => ({ link, isDirect: false })),
      ]);
    } catch (error) {
      const reasons = (error as AggregateError).errors as readonly Error[];
      throw new Error(reasons.map(({ message }) => message).join('; '));
    } finally {
      enough.abort();
    }
  };

  const placeByRelay = async (call: IncomingCall, name: VmName, over: VmName): Promise<void> => {
    const { service, argument } = call.request;
    // Later calls may have a direct link: dom0 may have allowed it meanwhile.
    peers.seek(name);
    const { link, isDirect } = await firstLink(name, over, call.cancelled);
    const own = { target: '', service, argument };
    if (isDirect) return await spliceCalls(call, link.open(own));
    const input = openRepeatableInput(call.stdin);
    const remote = link.open({ target: name, service, argument });
    relayed.add(name, remote);
    input.sayTo(remote);
    const outcome = await forwardOutputs(call, remote);
    if (!input.mayRepeat(outcome)) return endLocalCall(call, byWayOf(over, outcome));
    const soon = AbortSignal.any([call.cancelled, AbortSignal.timeout(directWithinMs)]);
    const direct = await peers.reach(name, soon).catch(() => undefined);
    if (direct === undefined) return endLocalCall(call, byWayOf(over, outcome));
    const again = direct.open(own);
    input.sayTo(again);
    endLocalCall(call, await forwardOutputs(call, again));
  };

  const placeAnyhow = async (call: IncomingCall): Promise<void> => {
    const name = nameOf(call.request);
    const { service, argument } = call.request;
    const request = { target: '', service, argument };
    const direct = peers.linkNow(name);
    if (direct !== undefined) return await spliceCalls(call, direct.open(request));
    const over = relayFor(name);
    if (over !== undefined) return await placeByRelay(call, name, over);
    await spliceCalls(call, (await peers.reach(name, call.cancelled)).open(request));
  };

  const routeTo = (name: VmName): PeerStatus['route'] => {
    if (peers.linkNow(name) !== undefined) return 'direct';
    const over = relayFor(name);
    const link = over === undefined ? undefined : peers.linkNow(over);
    return link !== undefined && mayRelay(link) ? 'relay' : null;
  };

  return {
    place: async (call) => {
      try {
        await placeAnyhow(call);
      } catch (error) {
        call.refuse({ code: 'unreachable', text: (error as Error).message });
      }
    },
    status: () =>
      relayed
        .addTo(peers.status(), relay() !== undefined)
        .map((status) => ({ ...status, route: routeTo(status.name) })),
  };
};
