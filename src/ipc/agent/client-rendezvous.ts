/** The client's side of the rendezvous with one domain. */
import type { Duplex } from 'node:stream';
import { merge, Observable, Subject } from 'rxjs';
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
 * Asks the pair's server for a link, again and again whenever there is none: each that is emitted is the
 * newest, and all before it have ended. Unsubscribing ends the link. Errors with a XenstoreError if the connection is lost.
 */
export const clientRendezvous = (
  store: Xenstore,
  pair: VchanPair,
  report: (reason: string | undefined) => void,
): Observable<EstablishedLink> =>
  new Observable<EstablishedLink>((links) => {
    const places = offerPaths(pair);
    // The leaf: its watch also tells of the server's death, when nothing else does.
    const sessionPaths = places.map((place) => `${place}/session`);
    const retriggers = new Subject<void>();
    const backoff = openReconnectBackoff();
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
      // Whatever comes of it, this one is used up.
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
      // It has come, or lost what it had offered, since we asked.
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
      // After a link request that is under way. What is not there need not go.
      store.transaction((tx) => store.remove(linkRequestPath(pair), tx)).catch(() => {});
    };
  });
