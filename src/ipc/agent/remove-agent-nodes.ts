/**
 * Removes the agent's nodes from xenstore: when it ends, and when it starts, as an earlier agent may have
 * been killed.
 */

import type { Domid } from '../../address/domid.ts';
import { ifRefused } from '../../xen/refusal.ts';
import type { Xenstore } from '../../xen/xenstore.ts';
import { offerNodes } from './rendezvous.ts';

/**
 * Removes the agent's nodes. It runs after all pending transactions, so that none of them writes a node
 * again.
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
