/** The client's side of the rendezvous with one domain. */
import type { Duplex } from 'node:stream';
import { merge, Observable, Subject } from 'rxjs';
import type { Xenstore } from '../../xen/xenstore.ts';
import { type Pair, readOffer } from '../vchan/nodes.ts';
import { joinVchan } from '../vchan/vchan.ts';
import { openPace } from './reconnect-backoff.ts';
import {
  idle,
  knockPath,
  type Meeting,
  type Nonce,
  newNonce,
  offerPaths,
  writeKnock,
} from './rendezvous.ts';
import { persistently } from './retry-on-trigger.ts';

type Sessions = readonly (string | undefined)[];

/**
 * Asks the pair's server for a link, again and again whenever there is none: each that is emitted is the
 * newest, and all before it have ended. Unsubscribing ends the link. Errors with a XenstoreError if the connection is lost.
 */
export const joinDomain = (
  store: Xenstore,
  pair: Pair,
  report: (trouble: string | undefined) => void,
): Observable<Meeting> =>
  new Observable<Meeting>((meetings) => {
    const places = offerPaths(pair);
    // The leaf: its watch also tells of the server's death, when nothing else does.
    const sessionPaths = places.map((place) => `${place}/session`);
    const wakes = new Subject<void>();
    const pace = openPace();
    let nonce: Nonce | undefined;
    let knockedAt: Sessions = [];
    let joined: { readonly link: Duplex; readonly place: number } | undefined;

    const knock = async (sessions: Sessions): Promise<void> => {
      await pace.rest();
      if (meetings.closed) return;
      knockedAt = sessions;
      nonce = newNonce();
      await writeKnock(store, pair, nonce);
    };

    const join = async (place: number): Promise<void> => {
      const offer = await readOffer(store, places[place] ?? '');
      // Whatever comes of it, this one is used up.
      nonce = undefined;
      if (meetings.closed) return;
      if (offer === undefined) return wakes.next();
      const link = joinVchan(pair.server, offer.ringRef, offer.eventChannel);
      const mine = { link, place };
      joined = mine;
      link.once('close', () => {
        if (joined !== mine) return;
        joined = undefined;
        wakes.next();
      });
      meetings.next({ link, place: places[place] ?? '' });
    };

    let session: Nonce | undefined;
    const step = async (): Promise<void> => {
      const sessions = await store.readAll(sessionPaths);
      if (joined !== undefined) {
        const gone = sessions[joined.place] !== session;
        if (gone) joined.link.destroy(new Error('the server has withdrawn the link'));
        return;
      }
      if (nonce === undefined) return await knock(sessions);
      const offered = sessions.indexOf(nonce);
      if (offered >= 0) {
        session = nonce;
        return await join(offered);
      }
      // It has come, or lost what it had offered, since we knocked.
      const isFresh = sessions.some((value, at) => value === idle && knockedAt[at] !== idle);
      if (isFresh) await knock(sessions);
    };

    const triggers = merge(...sessionPaths.map((path) => store.watch(path)), wakes);
    const steps = persistently(triggers, step, report).subscribe({
      error: (error) => meetings.error(error),
    });
    return () => {
      steps.unsubscribe();
      joined?.link.destroy();
      // After a knock that is under way. What is not there need not go.
      store.transaction((tx) => store.remove(knockPath(pair), tx)).catch(() => {});
    };
  });
