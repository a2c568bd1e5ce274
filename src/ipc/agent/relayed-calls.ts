/** This VM's own calls by way of its relay, for `vifwatch peers`. */
import type { VmName } from '../config/vm-name.ts';
import type { OutgoingCall } from '../protocol/call.ts';
import type { LinkStatus } from './peer-status.ts';

type Calls = { readonly since: string; streams: number };

/** VMs that are shown though no call to them is under way; a relay may know of many. */
const mostShown = 256;

/** Of a VM that is only called by way of the relay. */
const withoutLink = (name: VmName, { since, streams }: Calls): LinkStatus => ({
  ...{ name, domid: null, role: 'client', state: 'unknown', since, path: null, trouble: null },
  ...{ streams, bytesIn: 0, bytesOut: 0, rttMs: null, reconnects: 0 },
});

export const openRelayedCalls = () => {
  const calls = new Map<VmName, Calls>();
  return {
    add: (name: VmName, call: OutgoingCall): void => {
      const entry = calls.get(name) ?? { since: new Date().toISOString(), streams: 0 };
      calls.set(name, entry);
      entry.streams += 1;
      void call.outcome.then((outcome) => {
        entry.streams -= 1;
        // What the relay does not reach is no VM that is called.
        const isNobody = outcome.kind === 'refused' && outcome.refusal.code === 'unreachable';
        if (entry.streams === 0 && (isNobody || calls.size > mostShown)) calls.delete(name);
      });
    },

    /**
     * The links, and after them the VMs that were called without one.
     * @param hasRelay without, only those with calls under way are shown
     */
    addTo: (links: readonly LinkStatus[], hasRelay: boolean): readonly LinkStatus[] => {
      const rest = new Map(calls);
      const linked = links.map((link) => {
        const streams = link.streams + (rest.get(link.name)?.streams ?? 0);
        rest.delete(link.name);
        return { ...link, streams };
      });
      const others = [...rest].filter(([, { streams }]) => hasRelay || streams > 0);
      return [...linked, ...others.map(([name, entry]) => withoutLink(name, entry))];
    },
  };
};
