/** The state of the link with a peer, and the counts of all its links. */
import { BehaviorSubject, filter, firstValueFrom, fromEvent, map, merge, Subject } from 'rxjs';
import type { VmName } from '../config/vm-name.ts';
import type { Mux } from '../protocol/mux.ts';
import type { Named } from './domain-map.ts';
import type { LinkStatus, Role } from './peer-status.ts';

export type LinkState = {
  /** The link, if it is up now. */
  readonly linkNow: () => Mux | undefined;
  /** Resolves with the link once it is up. Rejects when the signal is aborted or `close` is called. */
  readonly link: (signal: AbortSignal) => Promise<Mux>;
  /** The peer's domain, as last found. */
  readonly domain: () => Named;
  readonly setDomain: (domain: Named) => void;
  /** Returns whether the text is a new reason why there is no link. */
  readonly setTrouble: (text: string | undefined) => boolean;
  /** @param place the xenstore directory where the link was offered */
  readonly linkIsUp: (mux: Mux, place: string) => void;
  /** Counts the link's bytes. The link may have been replaced, or may never have been up. */
  readonly linkIsOver: (mux: Mux) => void;
  readonly status: () => LinkStatus;
  /** Ends the wait for a link, now and later. */
  readonly close: (why: string) => void;
};

export const openLinkState = (name: VmName, role: Role, now: () => Date): LinkState => {
  const up = new BehaviorSubject<{ readonly mux: Mux; readonly place: string } | undefined>(
    undefined,
  );
  const closed = new Subject<never>();
  const past = { ups: 0, bytesIn: 0, bytesOut: 0 };
  let named: Named = 'unknown';
  let trouble: string | undefined;
  let since = now();

  const turn = (link: typeof up.value): void => {
    since = now();
    up.next(link);
  };

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
    domain: () => named,
    setDomain: (domain) => {
      named = domain;
      since = now();
    },
    setTrouble: (text) => {
      const isNew = text !== undefined && text !== trouble;
      trouble = text;
      return isNew;
    },
    linkIsUp: (mux, place) => {
      past.ups += 1;
      turn({ mux, place });
    },
    linkIsOver: (mux) => {
      const { bytesIn, bytesOut } = mux.statistics();
      past.bytesIn += bytesIn;
      past.bytesOut += bytesOut;
      if (up.value?.mux === mux) turn(undefined);
    },
    status: () => {
      const link = up.value?.mux.statistics();
      return {
        name,
        domid: typeof named === 'number' ? named : null,
        role,
        state: typeof named === 'string' ? named : link === undefined ? 'waiting' : 'up',
        since: since.toISOString(),
        path: up.value?.place ?? null,
        trouble: trouble ?? null,
        streams: link?.streams ?? 0,
        bytesIn: past.bytesIn + (link?.bytesIn ?? 0),
        bytesOut: past.bytesOut + (link?.bytesOut ?? 0),
        rttMs: link?.rttMs ?? null,
        reconnects: Math.max(past.ups - 1, 0),
      };
    },
    close: (why) => closed.error(new Error(why)),
  };
};
