/** The nodes of a vchan's offer, with libxenvchan's names and permissions. */
import type { Domid } from '../../address/domid.ts';
import type { Permission, Xenstore } from '../../xen/xenstore.ts';

const names = ['ring-ref', 'event-channel'] as const;

/** The values of the nodes. */
export type OfferNumbers = { readonly ringRef: number; readonly eventChannel: number };

/** The domids at the two ends of a vchan. */
export type VchanPair = { readonly server: Domid; readonly client: Domid };

/** The permissions of a node that only one other domain can read. */
export const readableBy = (owner: Domid, reader: Domid): readonly Permission[] => [
  { domid: owner, read: false, write: false },
  { domid: reader, read: true, write: false },
];

/**
 * Writes the offer's nodes and the `extra` nodes below `path`, in one transaction. Of all other domains, only
 * the client can read them. The client must exist: xenstored drops a permission for a domid that does not
 * exist yet.
 * @throws XenstoreError
 */
export const publishOffer = (
  store: Xenstore,
  path: string,
  { server, client }: VchanPair,
  { ringRef, eventChannel }: OfferNumbers,
  extra: Readonly<Record<string, string>> = {},
): Promise<void> => {
  const nodes = { ...extra, 'ring-ref': `${ringRef}`, 'event-channel': `${eventChannel}` };
  return store.transaction(async (tx) => {
    for (const [name, value] of Object.entries(nodes)) {
      await store.write(`${path}/${name}`, value, tx);
      await store.setPermissions(`${path}/${name}`, readableBy(server, client), tx);
    }
  });
};

/** A grant reference or a port; undefined for any other text, as the peer may have written anything. */
const toNumber = (value: string | undefined): number | undefined => {
  const number = value !== undefined && /^[1-9]\d{0,9}$/.test(value) ? Number(value) : undefined;
  return number !== undefined && number <= 0xffff_ffff ? number : undefined;
};

/**
 * Reads the peer's offer at `path`; undefined if there is none, or it is invalid.
 * @throws XenstoreError
 */
export const readOffer = async (
  store: Xenstore,
  path: string,
): Promise<OfferNumbers | undefined> => {
  const values = await store.readAll(names.map((name) => `${path}/${name}`));
  const [ringRef, eventChannel] = values.map(toNumber);
  if (ringRef === undefined || eventChannel === undefined) return undefined;
  return { ringRef, eventChannel };
};
