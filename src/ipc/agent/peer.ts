/** Another VM, and the link with it as it comes and goes. */
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

/** Who calls: the domain as Xen guarantees it, by the name that dom0 gives it. */
export type Caller = { readonly name: VmName; readonly domid: number };

export type Self = { readonly name: string; readonly domid: number };

export type PeerPorts = {
  readonly store: Xenstore;
  readonly names: DomainMap;
  readonly self: Self;
  readonly log: Logger;
  readonly onCall: (caller: Caller, call: IncomingCall) => void;
  /** Told when xenstore is lost. */
  readonly fail: (error: unknown) => void;
};

export type Peer = {
  /** The link, if there is one now. */
  readonly linkNow: () => Mux | undefined;
  /** The link, as soon as there is one. Rejects when the signal is aborted, or the peer closed. */
  readonly link: (signal: AbortSignal) => Promise<Mux>;
  readonly status: () => LinkStatus;
  /** Says goodbye and why, and takes everything out of xenstore. */
  readonly close: (why: string) => Promise<void>;
};

/** Starts to seek a link with a VM, and goes on for ever. */
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
    up.value?.mux.close({ code: 'identity', text: `${name} is another domain now` });
    named = found;
    since = new Date();
    log.info({ domain: found }, 'the name in /ipc/domain-map');
    if (found === 'ambiguous') {
      note('its domain has another name too in /ipc/domain-map: give each domain one name');
    } else if (found === self.domid) {
      note('this is the VM itself: an agent has no link with its own');
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
