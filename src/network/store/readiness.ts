/** The readiness node: dom0 waits for it before it starts application VMs. */

import type { Logger } from 'pino';
import { isRefusal } from '../../xen/refusal.ts';
import type { Xenstore } from '../../xen/xenstore.ts';

/** Relative to this domain's own directory, which dom0 can read. */
const node = 'data/vifwatch/ready';

/**
 * Removes the readiness node, which a killed daemon may have left.
 * @throws XenstoreError if the connection is lost
 */
export const withdrawReadiness = async (store: Xenstore): Promise<void> => {
  try {
    await store.remove(node);
  } catch (error) {
    if (!isRefusal(error)) throw error;
  }
};

/**
 * Writes the readiness node. If xenstored refuses, for example because a quota is full, the daemon logs that
 * and serves vifs all the same.
 * @throws XenstoreError if the connection is lost
 */
export const publishReadiness = async (store: Xenstore, log: Logger): Promise<void> => {
  try {
    await store.write(node, 'ready');
  } catch (error) {
    if (!isRefusal(error)) throw error;
    log.warn(`dom0 does not learn that this domain is ready: ${error.message}`);
  }
};
