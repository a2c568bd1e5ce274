/** A witness: an nft table in net-vm that counts the packets that pass vifwatch's rules. */
import type { Host } from '../rig/host.ts';
import { inNetVm } from './vms.ts';

const table = ['table', 'inet', 'witness'];

export type Witness = {
  /** The number of matching packets that have passed since the start. */
  count(): Promise<number>;
  remove(): Promise<void>;
};

/**
 * Counts packets that net-vm forwards or receives itself.
 * @param match an nft match, such as `ip saddr 10.0.5.66`
 */
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
