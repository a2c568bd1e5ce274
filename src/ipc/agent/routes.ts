/**
 * Chooses the path of a program's call: the direct link with the VM, or the relay if there is no direct link.
 */
import { systemClock } from '../../system/clock.ts';
import { isDomainMapName, type VmName } from '../config/vm-name.ts';
import type { CallRequest, IncomingCall } from '../protocol/call.ts';
import { createCallOverRelay, mayRelay } from './call-over-relay.ts';
import type { PeerStatus } from './peer-status.ts';
import type { Peers } from './peers.ts';
import { openRelayedCalls } from './relayed-calls.ts';
import { spliceCalls } from './splice-calls.ts';

type RoutesPorts = {
  /** This VM's name. */
  readonly self: string;
  readonly peers: Pick<Peers, 'linkNow' | 'reach' | 'seek' | 'status'>;
  /** The name of this VM's relay, or its own if it is one. */
  readonly relay: () => VmName | undefined;
};

export type Routes = {
  /** Makes a program's call to its target VM. Never rejects, and every call gets an answer. */
  readonly place: (call: IncomingCall) => Promise<void>;
  readonly status: () => readonly PeerStatus[];
};

export const openRoutes = ({ self, peers, relay }: RoutesPorts): Routes => {
  const relayed = openRelayedCalls();
  const callOverRelay = createCallOverRelay({ peers, relayed, clock: systemClock });

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

  const placeAnyhow = async (call: IncomingCall): Promise<void> => {
    const name = nameOf(call.request);
    const { service, argument } = call.request;
    const request = { target: '', service, argument };
    const direct = peers.linkNow(name);
    if (direct !== undefined) return await spliceCalls(call, direct.open(request));
    const over = relayFor(name);
    if (over !== undefined) return await callOverRelay(call, name, over);
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
