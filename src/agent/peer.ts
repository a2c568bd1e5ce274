/** Another VM, and the link with it as it comes and goes. */
import type { Duplex } from 'node:stream';
import type { Logger } from 'pino';
import {
  BehaviorSubject,
  filter,
  firstValueFrom,
  fromEvent,
  map as mapped,
  merge,
  NEVER,
  type Observable,
  ReplaySubject,
  switchMap,
} from 'rxjs';
import type { VmName } from '../config/vm-name.ts';
import type { IncomingCall } from '../protocol/call.ts';
import { type Mux, openMux } from '../protocol/mux.ts';
import type { Xenstore } from '../xen/xenstore.ts';
import type { DomainMap } from './domain-map.ts';
import { joinDomain } from './joining.ts';
import type { PeerStatus, Role } from './peer-status.ts';
import { serveDomain } from './serving.ts';

/** Who calls: the domain as Xen guarantees it, by the name that dom0 gives it. */
export type Caller = { readonly name: VmName; readonly domid: number };

export type Self = { readonly name: string; readonly domid: number };

export type PeerPorts = {
  readonly store: Xenstore;
  readonly map: DomainMap;
  readonly self: Self;
  readonly log: Logger;
  readonly onCall: (caller: Caller, call: IncomingCall) => void;
  /** Takes a domain for a name. False while another name has it in the same role. */
  readonly claim: (caller: Caller, role: Role) => boolean;
  readonly disclaim: (name: VmName, role: Role) => void;
};

export type Peer = {
  readonly name: VmName;
  /** The link, as soon as there is one. Rejects when the signal is aborted. */
  readonly link: (signal: AbortSignal) => Promise<Mux>;
  readonly status: () => PeerStatus;
  /** Never emits; errors when xenstore is lost. */
  readonly failures: Observable<never>;
  /** Says goodbye, and takes everything out of xenstore. */
  readonly close: () => Promise<void>;
};

/** Starts to seek a link with a VM, and never ends to. */
export const openPeer = (ports: PeerPorts, name: VmName, role: Role): Peer => {
  const { store, map, self } = ports;
  const log = ports.log.child({ peer: name, role });
  const up = new BehaviorSubject<Mux | undefined>(undefined);
  const failures = new ReplaySubject<never>();
  const past = { ups: 0, bytesIn: 0, bytesOut: 0 };
  let domid: number | undefined;
  let trouble: string | undefined;
  let since = new Date();

  const note = (text: string | undefined): void => {
    if (text !== undefined && text !== trouble) log.warn({ domid }, text);
    trouble = text;
  };

  const turn = (mux: Mux | undefined): void => {
    since = new Date();
    up.next(mux);
  };

  const hold = async (transport: Duplex, caller: Caller): Promise<void> => {
    const onCall = (call: IncomingCall): void => ports.onCall(caller, call);
    const mux = openMux(transport, { role, name: self.name, onCall });
    mux.ready.then(
      () => {
        past.ups += 1;
        turn(mux);
        log.info({ domid: caller.domid }, 'the link is up');
      },
      () => {},
    );
    let cause: string | undefined;
    transport.once('error', (error: Error & { code?: string }) => {
      cause = error.code;
    });
    const { by, code, text } = await mux.closed;
    const { bytesIn, bytesOut } = mux.statistics();
    past.bytesIn += bytesIn;
    past.bytesOut += bytesOut;
    if (up.value === mux) turn(undefined);
    log.info({ domid: caller.domid, by, code, cause, reason: text }, 'the link is closed');
  };

  const meet = (found: number | undefined): Observable<readonly [Duplex, Caller]> => {
    domid = found;
    since = new Date();
    ports.disclaim(name, role);
    if (found === undefined) return NEVER;
    log.info({ domid: found }, 'the VM has a domain');
    const caller: Caller = { name, domid: found };
    if (found === self.domid) {
      note('this is the VM itself: an agent has no link with its own');
      return NEVER;
    }
    if (!ports.claim(caller, role)) {
      note(`/ipc/domain-map has another name for domain ${found} too: give each domain one name`);
      return NEVER;
    }
    const links =
      role === 'server'
        ? serveDomain(store, { server: self.domid, client: found }, note)
        : joinDomain(store, { server: found, client: self.domid }, note);
    return links.pipe(mapped((link) => [link, caller] as const));
  };

  const links = map
    .domidOf(name)
    .pipe(switchMap(meet))
    .subscribe({
      next: ([transport, caller]) => void hold(transport, caller),
      error: (error) => failures.error(error),
    });

  return {
    name,
    failures,
    link: async (signal) => {
      signal.throwIfAborted();
      const aborted = fromEvent(signal, 'abort').pipe(
        mapped(() => {
          throw signal.reason;
        }),
      );
      const link = up.pipe(filter((mux) => mux !== undefined));
      return await firstValueFrom(merge(link, aborted));
    },
    status: () => {
      const now = up.value?.statistics();
      return {
        name,
        domid: domid ?? null,
        role,
        state: domid === undefined ? 'unknown' : now === undefined ? 'waiting' : 'up',
        since: since.toISOString(),
        trouble: trouble ?? null,
        streams: now?.streams ?? 0,
        bytesIn: past.bytesIn + (now?.bytesIn ?? 0),
        bytesOut: past.bytesOut + (now?.bytesOut ?? 0),
        rttMs: now?.rttMs ?? null,
        reconnects: Math.max(past.ups - 1, 0),
      };
    },
    close: async () => {
      const mux = up.value;
      mux?.close({ code: 'shutdown', text: 'the agent stops' });
      await mux?.closed;
      links.unsubscribe();
    },
  };
};
