/** Writes `hotplug-status=connected` for many vifs in few transactions. */
import { isMissingNode } from '../../xen/refusal.ts';
import type { Transaction, Xenstore } from '../../xen/xenstore.ts';
import type { BackendVif, VifKey } from '../vif/backend-vif.ts';

/** net-vm's backend directory in xenstore. */
type Place = {
  readonly store: Pick<Xenstore, 'readAll' | 'write' | 'remove' | 'transaction'>;
  readonly root: string;
};

class Replaced extends Error {}

/** xenstored's quota "transaction-nodes" lets a transaction touch 1024 nodes; a vif takes up to five. */
const mostPerTransaction = 100;

/** The vifs whose state node is unchanged. It changes whenever dom0 or netback closes or replaces a vif. */
const unchangedOf = async (
  { store, root }: Place,
  vifs: readonly BackendVif[],
  tx: Transaction,
): Promise<readonly BackendVif[]> => {
  const states = await store.readAll(
    vifs.map(({ key }) => `${root}/${key}/state`),
    tx,
  );
  return vifs.filter(({ state }, index) => states[index] === String(state));
};

const writeConnected = async (
  { store, root }: Place,
  { key, hotplugError }: BackendVif,
  tx: Transaction,
): Promise<void> => {
  const writing = [store.write(`${root}/${key}/hotplug-status`, 'connected', tx)];
  if (hotplugError !== '') writing.push(store.remove(`${root}/${key}/hotplug-error`, tx));
  await Promise.all(writing);
};

/**
 * Marks the vifs in one transaction.
 * @throws Replaced on a conflict: another program changed a node that the transaction had read
 */
const markTogether = (place: Place, vifs: readonly BackendVif[]): Promise<VifKey[]> => {
  let attempted = false;
  return place.store.transaction(async (tx) => {
    if (attempted) throw new Replaced();
    attempted = true;
    const markable = await unchangedOf(place, vifs, tx);
    await Promise.all(markable.map((vif) => writeConnected(place, vif, tx)));
    return markable.map(({ key }) => key);
  });
};

const ifReplaced = async <T>(marking: Promise<T>, fallback: () => Promise<T>): Promise<T> => {
  try {
    return await marking;
  } catch (error) {
    if (error instanceof Replaced || isMissingNode(error)) return await fallback();
    throw error;
  }
};

/** Marks the vifs together; after a conflict, each in a transaction of its own. */
const markSome = (place: Place, vifs: readonly BackendVif[]): Promise<readonly VifKey[]> => {
  const none = async (): Promise<VifKey[]> => [];
  const oneByOne = async (): Promise<VifKey[]> => {
    if (vifs.length === 1) return [];
    const marked = await Promise.all(
      vifs.map((vif) => ifReplaced(markTogether(place, [vif]), none)),
    );
    return marked.flat();
  };
  return ifReplaced(markTogether(place, vifs), oneByOne);
};

/**
 * Returns the keys of the vifs that it marked. It skips a vif that was closed or replaced meanwhile.
 * @throws XenstoreError, also if a quota is full
 */
export const markConnected = async (
  place: Place,
  vifs: readonly BackendVif[],
): Promise<ReadonlySet<VifKey>> => {
  const starts = Array.from(vifs.keys()).filter((index) => index % mostPerTransaction === 0);
  const marked = starts.map((start) =>
    markSome(place, vifs.slice(start, start + mostPerTransaction)),
  );
  return new Set((await Promise.all(marked)).flat());
};
