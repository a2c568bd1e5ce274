/** What netback 6.1 offers: a dozen nodes per vif, which are half of what a vif takes of the domain's quota. */
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

/** In a transaction first, then the rest one by one, as the kernel does. */
export const writeFeatures = async (store: Xenstore, path: string): Promise<void> => {
  await store.transaction(async (tx) => {
    await Promise.all(features.map((feature) => store.write(`${path}/${feature}`, '1', tx)));
  });
  await Promise.all(lateFeatures.map((feature) => store.write(`${path}/${feature}`, '1')));
};
