/**
 * Where the two ends of a link find each other in xenstore. The client asks for a link by a nonce in its own
 * directory; the server answers by an offer that carries the nonce, so neither takes what the other left
 * behind earlier. All of it lies below directories that only their owner can write: it is the domain of
 * the path that speaks, whatever it says.
 */
import { randomBytes } from 'node:crypto';
import type { Duplex } from 'node:stream';
import type { Xenstore } from '../../xen/xenstore.ts';
import { readableBy, type VchanPair } from '../vchan/nodes.ts';

/** A link that has come about. */
export type EstablishedLink = {
  readonly link: Duplex;
  /** Where in xenstore it was offered. */
  readonly place: string;
};

/** Of one attempt of a client to get a link. */
export type Nonce = string;

export const newNonce = (): Nonce => randomBytes(8).toString('hex');

const isNonce = (value: string | undefined): value is Nonce =>
  value !== undefined && /^[0-9a-f]{16}$/.test(value);

/** Says that the server is there, and offers nothing just now. */
export const idle = '';

/** What dom0 provisions, if it does: owned by the server, readable by the client. */
export const provisionedPath = ({ server, client }: VchanPair): string =>
  `/local/domain/${server}/ipc/direct/${client}`;

/** What a server makes for itself. libxenvchan takes no path of more than 49 characters. */
export const ownPath = ({ server, client }: VchanPair): string =>
  `/local/domain/${server}/data/vifwatch/direct/${client}`;

export const offerPaths = (pair: VchanPair): readonly [string, string] => [
  provisionedPath(pair),
  ownPath(pair),
];

/** What stands there while there is an offer, and of which the last says whose it is. */
export const offerNodes = ['ring-ref', 'event-channel', 'session'] as const;

export const linkRequestPath = ({ server, client }: VchanPair): string =>
  `/local/domain/${client}/data/vifwatch/knock/${server}`;

/** Writes the client's link request. Throws XenstoreError. */
export const writeLinkRequest = (store: Xenstore, pair: VchanPair, nonce: Nonce): Promise<void> =>
  store.transaction(async (tx) => {
    await store.write(linkRequestPath(pair), nonce, tx);
    await store.setPermissions(linkRequestPath(pair), readableBy(pair.client, pair.server), tx);
  });

/** The client's link request; undefined if there is none, or nothing that could be one. */
export const readLinkRequest = async (
  store: Xenstore,
  pair: VchanPair,
): Promise<Nonce | undefined> => {
  const [value] = await store.readAll([linkRequestPath(pair)]);
  return isNonce(value) ? value : undefined;
};
