/** One peer VM, and the current link with it. */
import type { Logger } from 'pino';
import {
  BehaviorSubject,
  filter,
  firstValueFrom,
  fromEvent,
  map,
  merge,
  NEVER,
  type Observable,
  Subject,
  switchMap,
} from 'rxjs';
import type { Xenstore } from '../../xen/xenstore.ts';
import type { VmName } from '../config/vm-name.ts';
import type { IncomingCall } from '../protocol/call.ts';
import { type Mux, openMux } from '../protocol/mux.ts';
import { clientRendezvous } from './client-rendezvous.ts';
import type { DomainMap, Named } from './domain-map.ts';
import type { LinkStatus, Role } from './peer-status.ts';
import type { EstablishedLink } from './rendezvous.ts';
import { serverRendezvous } from './server-rendezvous.ts';

/** The calling VM. Xen guarantees the domid, and dom0 gives the name. */
export type Caller = { readonly name: VmName; readonly domid: number };

export type Self = { readonly name: string; readonly domid: number };

export type PeerPorts = {
  readonly store: Xenstore;
  readonly names: DomainMap;
  readonly self: Self;
  readonly log: Logger;
  readonly onCall: (caller: Caller, call: IncomingCall) => void;
  /** Called when the connection to xenstored is lost. */
  readonly fail: (error: unknown) => void;
};

export type Peer = {
  /** The link, if it is up now. */
  readonly linkNow: () => Mux | undefined;
  /** Resolves with the link once it is up. Rejects when the signal is aborted or the peer is closed. */
  readonly link: (signal: AbortSignal) => Promise<Mux>;
  readonly status: () => LinkStatus;
  /** Sends GOODBYE with the reason, and removes the link's nodes from xenstore. */
  readonly close: (why: string) => Promise<void>;
};

/** Keeps a link with a VM: it looks for a new link whenever there is none, until it is closed. */
export const openPeer = (ports: PeerPorts, name: VmName, role: Role): Peer => {
  const { store, names, self, fail } = ports;
  const log = ports.log.child({ peer: name, role });
  const up = new BehaviorSubject<{ readonly mux: Mux; readonly place: string } | undefined>(
    undefined,
  );
  const closed = new Subject<never>();
  const past = { ups: 0, bytesIn: 0, bytesOut: 0 };
  let named: Named = 'unknown';
  let trouble: string | undefined;
  let since = new Date();

  const note = (text: string | undefined): void => {
    if (text !== undefined && text !== trouble) log.warn({ domain: named }, text);
    trouble = text;
  };

  const turn = (link: typeof up.value): void => {
    since = new Date();
    up.next(link);
  };

  const runLink = async ({ link, place }: EstablishedLink, caller: Caller): Promise<void> => {
    const onCall = (call: IncomingCall): void => ports.onCall(caller, call);
    const mux = openMux(link, { role, name: self.name, onCall });
    let cause: string | undefined;
    link.once('error', (error: Error & { code?: string }) => {
      cause = error.code;
    });
    mux.ready.then(
      () => {
        past.ups += 1;
        turn({ mux, place });
        log.info({ domid: caller.domid, place }, 'the link is up');
      },
      () => {},
    );
    const { kind, code, text } = await mux.over;
    const { bytesIn, bytesOut } = mux.statistics();
    past.bytesIn += bytesIn;
    past.bytesOut += bytesOut;
    if (up.value?.mux === mux) turn(undefined);
    log.info({ domid: caller.domid, by: kind, code, cause, reason: text }, 'the link is closed');
  };

  const linksWith = (found: Named): Observable<readonly [EstablishedLink, Caller]> => {
    up.value?.mux.close({ code: 'identity', text: `dom0 changed the domain of the name ${name}` });
    named = found;
    since = new Date();
    log.info({ domain: found }, 'read the name in /ipc/domain-map');
    if (found === 'ambiguous') {
      note('the domain has more than one name in /ipc/domain-map; dom0 must give it only one');
    } else if (found === self.domid) {
      note("this is this VM's own name; an agent has no link with itself");
    } else {
      note(undefined);
    }
    if (typeof found !== 'number' || found === self.domid) return NEVER;
    const links =
      role === 'server'
        ? serverRendezvous(store, { server: self.domid, client: found }, note)
        : clientRendezvous(store, { server: found, client: self.domid }, note);
    return links.pipe(map((link) => [link, { name, domid: found }] as const));
  };

  const links = names
    .domainOf(name)
    .pipe(switchMap(linksWith))
    .subscribe({
      next: ([link, caller]) => void runLink(link, caller),
      error: fail,
    });

  return {
    linkNow: () => up.value?.mux,
    link: async (signal) => {
      signal.throwIfAborted();
      const aborted = fromEvent(signal, 'abort').pipe(
        map(() => {
          throw signal.reason;
        }),
      );
      const { mux } = await firstValueFrom(
        merge(up.pipe(filter((link) => link !== undefined)), aborted, closed),
      );
      return mux;
    },
    status: () => {
      const now = up.value?.mux.statistics();
      return {
        name,
        domid: typeof named === 'number' ? named : null,
        role,
        state: typeof named === 'string' ? named : now === undefined ? 'waiting' : 'up',
        since: since.toISOString(),
        path: up.value?.place ?? null,
        trouble: trouble ?? null,
        streams: now?.streams ?? 0,
        bytesIn: past.bytesIn + (now?.bytesIn ?? 0),
        bytesOut: past.bytesOut + (now?.bytesOut ?? 0),
        rttMs: now?.rttMs ?? null,
        reconnects: Math.max(past.ups - 1, 0),
      };
    },
    close: async (why) => {
      closed.error(new Error(why));
      const mux = up.value?.mux;
      mux?.close({ code: 'shutdown', text: why });
      await mux?.closed;
      links.unsubscribe();
    },
  };
};
