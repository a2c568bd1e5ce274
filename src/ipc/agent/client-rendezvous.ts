/** The client's side of the rendezvous with one domain. */
import type { Duplex } from 'node:stream';
import { merge, Observable, Subject } from 'rxjs';
import { systemClock } from '../../system/clock.ts';
import type { Xenstore } from '../../xen/xenstore.ts';
import { readOffer, type VchanPair } from '../vchan/nodes.ts';
import { joinVchan } from '../vchan/vchan.ts';
import { openReconnectBackoff } from './reconnect-backoff.ts';
import {
  type EstablishedLink,
  idle,
  linkRequestPath,
  type Nonce,
  newNonce,
  offerPaths,
  writeLinkRequest,
} from './rendezvous.ts';
import { retryOnTrigger } from './retry-on-trigger.ts';

type Sessions = readonly (string | undefined)[];

/**
 * Requests a link from the pair's server whenever there is none. Emits each new link; all earlier links have
 * ended by then. Unsubscribing ends the link. Errors with a XenstoreError if the connection is lost.
 * @param report receives the reason for a failed attempt, or undefined after a successful step
 */
export const clientRendezvous = (
  store: Xenstore,
  pair: VchanPair,
  report: (reason: string | undefined) => void,
): Observable<EstablishedLink> =>
  new Observable<EstablishedLink>((links) => {
    const places = offerPaths(pair);
    // Watches the leaf node: only this watch is sure to fire when the server domain dies.
    const sessionPaths = places.map((place) => `${place}/session`);
    const retriggers = new Subject<void>();
    const backoff = openReconnectBackoff(systemClock);
    let nonce: Nonce | undefined;
    let sessionsAtRequest: Sessions = [];
    let joined: { readonly link: Duplex; readonly place: number } | undefined;

    const requestLink = async (sessions: Sessions): Promise<void> => {
      await backoff.wait();
      if (links.closed) return;
      sessionsAtRequest = sessions;
      nonce = newNonce();
      await writeLinkRequest(store, pair, nonce);
    };

    const join = async (place: number): Promise<void> => {
      const offer = await readOffer(store, places[place] ?? '');
      // A nonce is used only once, even if this attempt fails.
      nonce = undefined;
      if (links.closed) return;
      if (offer === undefined) return retriggers.next();
      const link = joinVchan(pair.server, offer.ringRef, offer.eventChannel);
      const mine = { link, place };
      joined = mine;
      link.once('close', () => {
        if (joined !== mine) return;
        joined = undefined;
        retriggers.next();
      });
      links.next({ link, place: places[place] ?? '' });
    };

    let session: Nonce | undefined;
    const step = async (): Promise<void> => {
      const sessions = await store.readAll(sessionPaths);
      if (joined !== undefined) {
        const gone = sessions[joined.place] !== session;
        if (gone) joined.link.destroy(new Error('the server has withdrawn the link'));
        return;
      }
      if (nonce === undefined) return await requestLink(sessions);
      const offered = sessions.indexOf(nonce);
      if (offered >= 0) {
        session = nonce;
        return await join(offered);
      }
      // After the request, the server started or dropped its offer: it needs a new request.
      const isFresh = sessions.some(
        (value, at) => value === idle && sessionsAtRequest[at] !== idle,
      );
      if (isFresh) await requestLink(sessions);
    };

    const triggers = merge(...sessionPaths.map((path) => store.watch(path)), retriggers);
    const steps = retryOnTrigger(triggers, step, report).subscribe({
      error: (error) => links.error(error),
    });
    return () => {
      steps.unsubscribe();
      joined?.link.destroy();
      // The transaction runs after a pending link request. A missing node is not an error.
      store.transaction((tx) => store.remove(linkRequestPath(pair), tx)).catch(() => {});
    };
  });
