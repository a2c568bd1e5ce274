/** What dom0 waits for before it starts application VMs: that this domain serves vifs. */

import type { Logger } from 'pino';
import type { Xenstore } from '../../xen/xenstore.ts';
import { isRefusal } from '../../xen/xenstore.ts';

/** In this domain's own directory, which dom0 can read. */
const node = 'data/vifwatch/ready';

/** Takes back what a daemon that was killed may have left. Rejects with a XenstoreError if the connection is lost. */
export const withdrawReadiness = async (store: Xenstore): Promise<void> => {
  try {
    await store.remove(node);
  } catch (error) {
    if (!isRefusal(error)) throw error;
  }
};

/** A full quota is no reason not to serve vifs. Rejects with a XenstoreError if the connection is lost. */
export const publishReadiness = async (store: Xenstore, log: Logger): Promise<void> => {
  try {
    await store.write(node, 'ready');
  } catch (error) {
    if (!isRefusal(error)) throw error;
    log.warn(`dom0 does not learn that this domain is ready: ${error.message}`);
  }
};
