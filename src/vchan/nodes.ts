/** The nodes of a vchan's offer, named and protected as libxenvchan does it. */
import { type Permission, type Xenstore, XenstoreError } from '../xen/xenstore.ts';

const names = ['ring-ref', 'event-channel'] as const;

export type OfferNumbers = { readonly ringRef: number; readonly eventChannel: number };

/**
 * Writes the nodes below `path` in one transaction, and `extra` nodes besides them; nobody but the peer
 * can read them. The peer must exist: xenstored forgets a permission for a domid that is not there yet.
 * Rejects with a XenstoreError.
 */
export const publishOffer = async (
  store: Xenstore,
  path: string,
  peer: number,
  { ringRef, eventChannel }: OfferNumbers,
  extra: Readonly<Record<string, string>> = {},
): Promise<void> => {
  const self = Number(await store.read('domid'));
  const permissions: readonly Permission[] = [
    { domid: self, read: false, write: false },
    { domid: peer, read: true, write: false },
  ];
  const nodes = { ...extra, 'ring-ref': `${ringRef}`, 'event-channel': `${eventChannel}` };
  await store.transaction(async (tx) => {
    for (const [name, value] of Object.entries(nodes)) {
      await store.write(`${path}/${name}`, value, tx);
      await store.setPermissions(`${path}/${name}`, permissions, tx);
    }
  });
};

/** A grant reference or port; the peer may have written anything. */
const toNumber = (value: string | undefined): number | undefined => {
  const number = value !== undefined && /^[1-9]\d{0,9}$/.test(value) ? Number(value) : undefined;
  return number !== undefined && number <= 0xffff_ffff ? number : undefined;
};

/**
 * What a peer offers at `path`, or undefined if that is nothing, or nothing that can be joined. `extra`
 * nodes that are missing are undefined. Rejects with a XenstoreError.
 */
export const readOffer = async <Extra extends string = never>(
  store: Xenstore,
  path: string,
  extra: readonly Extra[] = [],
): Promise<(OfferNumbers & { readonly extra: Record<Extra, string | undefined> }) | undefined> => {
  const paths = [...names, ...extra].map((name) => `${path}/${name}`);
  const [ref, channel, ...others] = await store.readAll(paths);
  const [ringRef, eventChannel] = [toNumber(ref), toNumber(channel)];
  if (ringRef === undefined || eventChannel === undefined) return undefined;
  const entries = extra.map((name, i) => [name, others[i]]);
  return { ringRef, eventChannel, extra: Object.fromEntries(entries) };
};

/** Removes `path` and all below it, if it is there. */
export const withdrawOffer = async (store: Xenstore, path: string): Promise<void> => {
  try {
    await store.remove(path);
  } catch (error) {
    if (!(error instanceof XenstoreError && error.code === 'ENOENT')) throw error;
  }
};
