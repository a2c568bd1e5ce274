/** The server's side of the rendezvous with one domain. */
import type { Duplex } from 'node:stream';
import { merge, Observable, Subject } from 'rxjs';
import { publishOffer } from '../vchan/nodes.ts';
import { openVchanServer, type VchanServer } from '../vchan/vchan.ts';
import type { Xenstore } from '../xen/xenstore.ts';
import { openPace } from './pace.ts';
import { persistently } from './persistently.ts';
import {
  idle,
  knockPath,
  type Nonce,
  offerNodes,
  ownPath,
  type Pair,
  provisionedPath,
  readableBy,
  readKnock,
} from './rendezvous.ts';

/** dom0's place if it has made one. */
const placeOf = async (store: Xenstore, pair: Pair): Promise<string> => {
  const [provisioned] = await store.readAll([provisionedPath(pair)]);
  return provisioned === undefined ? ownPath(pair) : provisionedPath(pair);
};

/** Says that the server is there and idle: the offer that may still stand is nobody's any more. */
const announce = async (store: Xenstore, pair: Pair): Promise<void> => {
  const session = `${await placeOf(store, pair)}/session`;
  await store.transaction(async (tx) => {
    await store.write(session, idle, tx);
    await store.setPermissions(session, readableBy(pair.server, pair.client), tx);
  });
};

/** Leaves nothing but what dom0 made. */
const leave = async (store: Xenstore, pair: Pair): Promise<void> => {
  const nodes = offerNodes.map((node) => `${provisionedPath(pair)}/${node}`);
  const removals = [...nodes, ownPath(pair)].map((path) => store.remove(path));
  // What is not there need not go, and a lost connection is somebody else's to tell.
  await Promise.allSettled(removals);
};

/**
 * Offers links to the pair's client, one at a time: each emitted stream is the newest, and all before it have
 * ended. A client gets one whenever it knocks. Unsubscribing ends the link and takes the offer back.
 * Errors with a XenstoreError if the connection is lost.
 */
export const serveDomain = (
  store: Xenstore,
  pair: Pair,
  report: (trouble: string | undefined) => void,
): Observable<Duplex> =>
  new Observable<Duplex>((links) => {
    const wakes = new Subject<void>();
    const pace = openPace();
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
      await pace.rest();
      if (links.closed) return;
      pages ??= openVchanServer(pair.client);
      const offer = pages.offer();
      const mine: NonNullable<typeof session> = { nonce };
      const over = (): void => {
        if (session !== mine) return;
        session = undefined;
        wakes.next();
      };
      session = mine;
      offer.connected.then((link) => {
        if (session !== mine) return link.destroy();
        mine.link = link.once('close', over);
        links.next(link);
      }, over);
      announced = false;
      await publishOffer(store, await placeOf(store, pair), pair.client, offer, { session: nonce });
      answered = nonce;
    };

    const step = async (): Promise<void> => {
      const knock = await readKnock(store, pair);
      if (knock !== undefined && knock !== answered) return await answer(knock);
      if (knock === undefined) {
        // The domain is gone, or its agent has left: no page is kept for it.
        drop('the client has left');
        pages?.close();
        pages = undefined;
      }
      if (session !== undefined || announced) return;
      await announce(store, pair);
      announced = true;
    };

    const triggers = merge(store.watch(knockPath(pair)), wakes);
    const steps = persistently(triggers, step, report).subscribe({
      error: (error) => links.error(error),
    });
    return () => {
      steps.unsubscribe();
      drop('the link is no longer wanted');
      pages?.close();
      void leave(store, pair);
    };
  });
