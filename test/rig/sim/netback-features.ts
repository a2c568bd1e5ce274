/** The feature nodes of netback 6.1: a dozen per vif, half of a vif's share of the domain's node quota. */
import type { Xenstore } from '../../../src/xen/xenstore.ts';

const features = [
  'feature-sg',
  'feature-gso-tcpv4',
  'feature-gso-tcpv6',
  'feature-ipv6-csum-offload',
  'feature-rx-copy',
  'feature-xdp-headroom',
  'feature-rx-flip',
  'feature-multicast-control',
  'feature-dynamic-multicast-control',
];
const lateFeatures = [
  'feature-split-event-channels',
  'multi-queue-max-queues',
  'feature-ctrl-ring',
];

/** Writes the features as the kernel does: some in a transaction, then the others one by one. */
export const writeFeatures = async (store: Xenstore, path: string): Promise<void> => {
  await store.transaction(async (tx) => {
    await Promise.all(features.map((feature) => store.write(`${path}/${feature}`, '1', tx)));
  });
  await Promise.all(lateFeatures.map((feature) => store.write(`${path}/${feature}`, '1')));
};
