/** Takes everything of the agent's out of xenstore: at its end, and before its start, for one that was killed. */

import type { Xenstore } from '../../xen/xenstore.ts';
import { isRefusal } from '../../xen/xenstore.ts';
import { offerNodes } from './rendezvous.ts';

const ifThere = async <T>(result: Promise<T>, otherwise: T): Promise<T> => {
  try {
    return await result;
  } catch (error) {
    if (isRefusal(error)) return otherwise;
    throw error;
  }
};

/** After all transactions that are under way, so that none undoes it. Throws a XenstoreError if the connection is lost. */
export const removeAgentNodes = (store: Xenstore, domid: number): Promise<void> =>
  store.transaction(async (tx) => {
    const own = `/local/domain/${domid}`;
    // What else is below data/vifwatch is not the agent's.
    for (const ours of ['knock', 'direct'])
      await ifThere(store.remove(`${own}/data/vifwatch/${ours}`, tx), undefined);
    const provisioned = `${own}/ipc/direct`;
    const clients = await ifThere<readonly string[]>(store.list(provisioned, tx), []);
    // The directories are dom0's; what is in them is ours.
    const nodes = clients.flatMap((client) =>
      offerNodes.map((node) => `${provisioned}/${client}/${node}`),
    );
    await Promise.all(nodes.map((node) => ifThere(store.remove(node, tx), undefined)));
  });
