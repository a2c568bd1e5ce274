/** One peer VM, and the current link with it. */
import type { Logger } from 'pino';
import { map, NEVER, type Observable, switchMap } from 'rxjs';
import type { Domid } from '../../address/domid.ts';
import type { VmName } from '../config/vm-name.ts';
import type { IncomingCall } from '../protocol/call.ts';
import { openMux } from '../protocol/mux.ts';
import type { DomainMap, Named } from './domain-map.ts';
import { type LinkState, openLinkState } from './link-state.ts';
import type { Role } from './peer-status.ts';
import type { EstablishedLink } from './rendezvous.ts';

type LinkRun = {
  readonly role: Role;
  /** This VM's name. */
  readonly self: string;
  /** The domid of the VM at the other end. */
  readonly domid: Domid;
  readonly onCall: (call: IncomingCall) => void;
  readonly state: Pick<LinkState, 'linkIsUp' | 'linkIsOver'>;
  readonly log: Logger;
};

/** Runs the call protocol over a link, from HELLO to its end. Never rejects. */
const runLink = async (
  { link, place }: EstablishedLink,
  { role, self, domid, onCall, state, log }: LinkRun,
): Promise<void> => {
  const mux = openMux(link, { role, name: self, onCall });
  let cause: string | undefined;
  link.once('error', (error: Error & { code?: string }) => {
    cause = error.code;
  });
  mux.ready.then(
    () => {
      state.linkIsUp(mux, place);
      log.info({ domid, place }, 'the link is up');
    },
    () => {},
  );
  const { kind, code, text } = await mux.over;
  state.linkIsOver(mux);
  log.info({ domid, by: kind, code, cause, reason: text }, 'the link is closed');
};

/** The calling VM. Xen guarantees the domid, and dom0 gives the name. */
export type Caller = { readonly name: VmName; readonly domid: Domid };

export type Self = { readonly name: string; readonly domid: Domid };

export type PeerPorts = {
  readonly domainOf: DomainMap['domainOf'];
  /**
   * Emits each new link with the domain; all earlier links have ended by then. Unsubscribing ends the link.
   * @param report receives the reason for a failed attempt, or undefined after a successful step
   */
  readonly rendezvous: (
    role: Role,
    domid: Domid,
    report: (reason: string | undefined) => void,
  ) => Observable<EstablishedLink>;
  readonly self: Self;
  readonly log: Logger;
  readonly onCall: (caller: Caller, call: IncomingCall) => void;
  /** Called when the connection to xenstored is lost. */
  readonly fail: (error: unknown) => void;
};

export type Peer = Pick<LinkState, 'linkNow' | 'link' | 'status'> & {
  /** Sends GOODBYE with the reason, and removes the link's nodes from xenstore. */
  readonly close: (why: string) => Promise<void>;
};

/** The reason why the domain that has the name can have no link with this VM. */
const troubleWith = (found: Named, self: Domid): string | undefined => {
  if (found === 'ambiguous')
    return 'the domain has more than one name in /ipc/domain-map; dom0 must give it only one';
  if (found === self) return "this is this VM's own name; an agent has no link with itself";
  return undefined;
};

/** Keeps a link with a VM: it looks for a new link whenever there is none, until it is closed. */
export const openPeer = (ports: PeerPorts, name: VmName, role: Role): Peer => {
  const { domainOf, rendezvous, self, fail } = ports;
  const log = ports.log.child({ peer: name, role });
  const state = openLinkState(name, role, () => new Date());

  const note = (text: string | undefined): void => {
    const isNew = state.setTrouble(text);
    if (isNew) log.warn({ domain: state.domain() }, text);
  };

  const linksWith = (found: Named): Observable<readonly [EstablishedLink, Caller]> => {
    const text = `dom0 changed the domain of the name ${name}`;
    state.linkNow()?.close({ code: 'identity', text });
    state.setDomain(found);
    log.info({ domain: found }, 'read the name in /ipc/domain-map');
    note(troubleWith(found, self.domid));
    if (typeof found !== 'number' || found === self.domid) return NEVER;
    const caller = { name, domid: found };
    return rendezvous(role, found, note).pipe(map((link) => [link, caller] as const));
  };

  const links = domainOf(name)
    .pipe(switchMap(linksWith))
    .subscribe({
      next: ([link, caller]) => {
        const onCall = (call: IncomingCall): void => ports.onCall(caller, call);
        const { domid } = caller;
        void runLink(link, { role, self: self.name, domid, onCall, state, log });
      },
      error: fail,
    });

  return {
    linkNow: state.linkNow,
    link: state.link,
    status: state.status,
    close: async (why) => {
      state.close(why);
      const mux = state.linkNow();
      mux?.close({ code: 'shutdown', text: why });
      await mux?.closed;
      links.unsubscribe();
    },
  };
};
