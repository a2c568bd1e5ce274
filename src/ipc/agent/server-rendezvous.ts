/** The server's side of the rendezvous with one domain. */
import type { Duplex } from 'node:stream';
import { merge, Observable, Subject } from 'rxjs';
import { systemClock } from '../../system/clock.ts';
import type { Xenstore } from '../../xen/xenstore.ts';
import { publishOffer, readableBy, type VchanPair } from '../vchan/nodes.ts';
import { openVchanServer, type VchanServer } from '../vchan/vchan.ts';
import { openReconnectBackoff } from './reconnect-backoff.ts';
import {
  type EstablishedLink,
  idle,
  linkRequestPath,
  type Nonce,
  offerNodes,
  ownPath,
  provisionedPath,
  readLinkRequest,
} from './rendezvous.ts';
import { retryOnTrigger } from './retry-on-trigger.ts';

/** The directory that dom0 provisioned, or else the server's own directory. */
const placeOf = async (store: Xenstore, pair: VchanPair): Promise<string> => {
  const [provisioned] = await store.readAll([provisionedPath(pair)]);
  return provisioned === undefined ? ownPath(pair) : provisionedPath(pair);
};

/** Marks the server as idle. This also withdraws an earlier offer that is still there. */
const announce = (store: Xenstore, { server, client }: VchanPair, place: string): Promise<void> =>
  store.transaction(async (tx) => {
    await store.write(`${place}/session`, idle, tx);
    await store.setPermissions(`${place}/session`, readableBy(server, client), tx);
  });

/** Removes the server's nodes, but not dom0's directory. Runs after all pending transactions. */
const leave = (store: Xenstore, pair: VchanPair): Promise<unknown> =>
  store.transaction((tx) => {
    const nodes = offerNodes.map((node) => `${provisionedPath(pair)}/${node}`);
    // A missing node is not an error, and other code reports a lost connection.
    return Promise.allSettled([...nodes, ownPath(pair)].map((path) => store.remove(path, tx)));
  });

/**
 * Offers one link at a time to the pair's client. Emits each new link; all earlier links have ended by then.
 * The client gets a new link whenever it requests one. Unsubscribing ends the link and withdraws the offer.
 * Errors with a XenstoreError if the connection is lost.
 * @param report receives the reason for a failed attempt, or undefined after a successful step
 */
export const serverRendezvous = (
  store: Xenstore,
  pair: VchanPair,
  report: (reason: string | undefined) => void,
): Observable<EstablishedLink> =>
  new Observable<EstablishedLink>((links) => {
    const retriggers = new Subject<void>();
    const backoff = openReconnectBackoff(systemClock);
    // All sessions with the domain use the same pages: otherwise a client that keeps old pages mapped could
    // use up all pages.
    let pages: VchanServer | undefined;
    let answered: Nonce | undefined;
    let session: { readonly nonce: Nonce; link?: Duplex } | undefined;
    let announced = false;

    const drop = (why: string): void => {
      session?.link?.destroy(new Error(why));
      session = undefined;
    };

    const answer = async (nonce: Nonce): Promise<void> => {
      drop('the client asked for a new link');
      await backoff.wait();
      const place = await placeOf(store, pair);
      if (links.closed) return;
      pages ??= openVchanServer(pair.client);
      const offer = pages.offer();
      const mine: NonNullable<typeof session> = { nonce };
      const over = (): void => {
        if (session !== mine) return;
        session = undefined;
        retriggers.next();
      };
      session = mine;
      offer.connected.then((link) => {
        if (session !== mine) return link.destroy();
        mine.link = link.once('close', over);
        links.next({ link, place });
      }, over);
      announced = false;
      await publishOffer(store, place, pair, offer, { session: nonce });
      answered = nonce;
    };

    const step = async (): Promise<void> => {
      const request = await readLinkRequest(store, pair);
      if (request !== undefined && request !== answered) return await answer(request);
      // The domain is gone, or its agent has removed the request.
      if (request === undefined) drop('the client has left');
      if (session !== undefined || announced) return;
      const place = await placeOf(store, pair);
      if (links.closed) return;
      await announce(store, pair, place);
      announced = true;
    };

    const triggers = merge(store.watch(linkRequestPath(pair)), retriggers);
    const steps = retryOnTrigger(triggers, step, report).subscribe({
      error: (error) => links.error(error),
    });
    return () => {
      steps.unsubscribe();
      drop('the link is no longer wanted');
      pages?.close();
      leave(store, pair).catch(() => {});
    };
  });
