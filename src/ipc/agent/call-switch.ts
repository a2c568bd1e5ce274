/** Handles all calls over this VM's links: incoming calls, its programs' calls, and relayed calls. */
import { concatMap } from 'rxjs';
import type { Xenstore } from '../../xen/xenstore.ts';
import type { IncomingCall } from '../protocol/call.ts';
import { type CallHandlerPorts, createCallHandler } from './call-handler.ts';
import { openDomainMap } from './domain-map.ts';
import type { Caller } from './peer.ts';
import type { PeersDocument } from './peer-status.ts';
import { openPeers } from './peers.ts';
import { openRelay } from './relay.ts';
import { openRoutes, type Routes } from './routes.ts';
import type { Settings } from './settings.ts';

type CallSwitchPorts = Omit<CallHandlerPorts, 'relay' | 'forward'> & {
  readonly store: Xenstore;
  readonly settings: Settings;
  /** Called when the connection to xenstored is lost. */
  readonly fail: (error: unknown) => void;
};

export type CallSwitch = {
  readonly place: Routes['place'];
  readonly document: () => PeersDocument;
  /**
   * Refuses new calls to relay, and gives the current ones time to end.
   * Resolves at once if this VM is not a relay and relays no calls.
   */
  readonly endRelay: () => Promise<void>;
  /** Ends all calls, and removes the links' nodes from xenstore. */
  readonly close: () => Promise<void>;
};

/** Opens the links that the settings ask for, and follows each change of the settings. */
export const openCallSwitch = (ports: CallSwitchPorts): CallSwitch => {
  const { store, self, settings, log, rateLimitLog, fail } = ports;
  const relayName = () => settings.now().relay;
  const relay = openRelay({
    linkWith: (name, signal) => peers.linkWith(name, signal),
    linkNow: (name) => peers.linkNow(name),
    log,
    rateLimitLog,
  });
  const handleCall = createCallHandler({ ...ports, relay: relayName, forward: relay.forward });
  const onCall = (caller: Caller, call: IncomingCall): void => void handleCall(caller, call);
  const peers = openPeers({ store, names: openDomainMap(store), self, log, onCall, fail });
  const configuring = settings.all
    .pipe(concatMap((links) => peers.configure(links)))
    .subscribe({ error: fail });
  const routes = openRoutes({ self: self.name, peers, relay: relayName });
  const isRelay = (): boolean => relayName() === self.name;
  return {
    place: routes.place,
    document: () => ({
      peers: routes.status(),
      relay: isRelay() ? null : (relayName() ?? null),
      relayed: isRelay() || relay.underWay() > 0 ? relay.underWay() : null,
    }),
    endRelay: async () => {
      if (isRelay() || relay.underWay() > 0) await relay.close();
    },
    close: async () => {
      configuring.unsubscribe();
      await peers.close();
    },
  };
};
