/** A witness in net-vm's kernel, behind vifwatch's rules: it counts the packets that got past them. */
import type { Host } from '../rig/host.ts';
import { inNetVm } from './vms.ts';

const table = ['table', 'inet', 'witness'];

export type Witness = {
  /** How many packets that match have passed since it was set up. */
  count(): Promise<number>;
  remove(): Promise<void>;
};

/** `match` is nft's, such as `ip saddr 10.0.5.66`. Counts what is forwarded, or taken in by net-vm itself. */
export const placeWitness = async (host: Host, match: string): Promise<Witness> => {
  const chain = (hook: string) =>
    `chain ${hook} { type filter hook ${hook} priority 1000; ${match} counter name passed; }`;
  await inNetVm(host, [
    'nft',
    `${table.join(' ')} { counter passed { }; ${chain('input')}; ${chain('forward')}; }`,
  ]);
  return {
    count: async () => {
      const listing = await inNetVm(host, ['nft', 'list', 'counter', 'inet', 'witness', 'passed']);
      return Number(/packets (\d+)/.exec(listing)?.[1]);
    },
    remove: async () => {
      await inNetVm(host, ['nft', 'delete', ...table]);
    },
  };
};
