/** This VM's own calls over its relay, for `vifwatch peers`. */
import type { VmName } from '../config/vm-name.ts';
import type { OutgoingCall } from '../protocol/call.ts';
import type { LinkStatus } from './peer-status.ts';

type Calls = { readonly since: string; streams: number };

/** The number of VMs above which a VM is forgotten once its calls have ended: a relay may reach many. */
const mostShown = 256;

/** The status of a VM that is called only over the relay. */
const withoutLink = (name: VmName, { since, streams }: Calls): LinkStatus => ({
  name,
  domid: null,
  role: 'client',
  state: 'unknown',
  since,
  path: null,
  trouble: null,
  streams,
  bytesIn: 0,
  bytesOut: 0,
  rttMs: null,
  reconnects: 0,
});

export type RelayedCalls = {
  /** Counts a call until it ends. */
  readonly add: (name: VmName, call: OutgoingCall) => void;
  /**
   * Adds the relayed calls to the links, and appends the VMs that were called without a link.
   * @param hasRelay if false, only VMs with current calls are appended
   */
  readonly addTo: (links: readonly LinkStatus[], hasRelay: boolean) => readonly LinkStatus[];
};

/** Counts this VM's relayed calls by target. */
export const openRelayedCalls = (): RelayedCalls => {
  const calls = new Map<VmName, Calls>();
  return {
    add: (name, call) => {
      const entry = calls.get(name) ?? { since: new Date().toISOString(), streams: 0 };
      calls.set(name, entry);
      entry.streams += 1;
      void call.outcome.then((outcome) => {
        entry.streams -= 1;
        // If the relay cannot reach the VM, `vifwatch peers` does not show it.
        const isNobody = outcome.kind === 'refused' && outcome.refusal.code === 'unreachable';
        if (entry.streams === 0 && (isNobody || calls.size > mostShown)) calls.delete(name);
      });
    },

    addTo: (links, hasRelay) => {
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
