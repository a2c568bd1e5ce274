/**
 * The xenstore nodes through which the two ends of a link find each other. The client requests a link: it
 * writes a nonce in its own directory. The server answers with an offer that carries the nonce, so neither
 * end uses nodes from an earlier attempt. Only a domain itself can write below its directory, so a node's
 * path proves its writer.
 */
import { randomBytes } from 'node:crypto';
import type { Duplex } from 'node:stream';
import type { Domid } from '../../address/domid.ts';
import { ifRefused } from '../../xen/refusal.ts';
import type { Xenstore } from '../../xen/xenstore.ts';
import { readableBy, type VchanPair } from '../vchan/nodes.ts';

/** A link that both ends have opened. */
export type EstablishedLink = {
  readonly link: Duplex;
  /** The xenstore directory where the server offered it. */
  readonly place: string;
};

/** Identifies one link request of a client: 16 hexadecimal digits. */
export type Nonce = string;

export const newNonce = (): Nonce => randomBytes(8).toString('hex');

const isNonce = (value: string | undefined): value is Nonce =>
  value !== undefined && /^[0-9a-f]{16}$/.test(value);

/** The value of `session` while the server runs and offers no link. */
export const idle = '';

/** The directory that dom0 may provision: the server owns it, and the client can read it. */
export const provisionedPath = ({ server, client }: VchanPair): string =>
  `/local/domain/${server}/ipc/direct/${client}`;

/** The directory that the server makes itself. libxenvchan accepts paths of up to 49 characters. */
export const ownPath = ({ server, client }: VchanPair): string =>
  `/local/domain/${server}/data/vifwatch/direct/${client}`;

/** The two directories where the server may offer a link. */
export const offerPaths = (pair: VchanPair): readonly [string, string] => [
  provisionedPath(pair),
  ownPath(pair),
];

/** An offer's nodes. The last one holds the nonce of the answered request. */
export const offerNodes = ['ring-ref', 'event-channel', 'session'] as const;

/** The node of the client's link request to the server. */
export const linkRequestPath = ({ server, client }: VchanPair): string =>
  `/local/domain/${client}/data/vifwatch/knock/${server}`;

/**
 * Writes the client's link request.
 * @throws XenstoreError
 */
export const writeLinkRequest = (store: Xenstore, pair: VchanPair, nonce: Nonce): Promise<void> =>
  store.transaction(async (tx) => {
    await store.write(linkRequestPath(pair), nonce, tx);
    await store.setPermissions(linkRequestPath(pair), readableBy(pair.client, pair.server), tx);
  });

/** Reads the client's link request; undefined if there is none, or its value is not a nonce. */
export const readLinkRequest = async (
  store: Xenstore,
  pair: VchanPair,
): Promise<Nonce | undefined> => {
  const [value] = await store.readAll([linkRequestPath(pair)]);
  return isNonce(value) ? value : undefined;
};

/**
 * Removes the agent's nodes: when the agent ends, and when it starts, as an earlier agent may have been
 * killed. It runs after all pending transactions, so that none of them writes a node again.
 * @throws XenstoreError if the connection is lost
 */
export const removeAgentNodes = (store: Xenstore, domid: Domid): Promise<void> =>
  store.transaction(async (tx) => {
    const own = `/local/domain/${domid}`;
    // Other nodes below data/vifwatch do not belong to the agent.
    for (const ours of ['knock', 'direct'])
      await ifRefused(store.remove(`${own}/data/vifwatch/${ours}`, tx), undefined);
    const provisioned = `${own}/ipc/direct`;
    const clients = await ifRefused(store.list(provisioned, tx), []);
    // dom0 made the directories, and they stay; the agent wrote the nodes in them.
    const nodes = clients.flatMap((client) =>
      offerNodes.map((node) => `${provisioned}/${client}/${node}`),
    );
    await Promise.all(nodes.map((node) => ifRefused(store.remove(node, tx), undefined)));
  });
