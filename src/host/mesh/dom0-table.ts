/** What dom0's scripts are told: one record per line, its words separated by single spaces. */
import { isHost, type Prefix } from '../../address/prefix.ts';
import type { Mesh } from './mesh.ts';

/** What the table begins with. */
export const tableHeader = 'vifwatch-mesh 1';

const withLength = (prefix: Prefix): string =>
  isHost(prefix) ? `${prefix.text}/${prefix.length}` : prefix.text;

/** VMs are in the order in which they start, all else is sorted. */
export const dom0Table = ({ net, vms, pairs, listers }: Mesh): string => {
  const lines = [
    vms.map(({ name, level, policy }) => `vm ${name} ${level} ${policy?.hash ?? '-'}`),
    vms.flatMap(({ name, needs }) => needs.map((needed) => `need ${name} ${needed}`)).sort(),
    pairs.map(({ server, client }) => `pair ${server} ${client}`).sort(),
    vms.flatMap(({ name, readers }) => readers.map((reader) => `reader ${name} ${reader}`)).sort(),
    listers.map((name) => `lister ${name}`),
    vms
      .flatMap(({ name, addresses }) =>
        addresses.map((prefix) => `address ${name} ${withLength(prefix)}`),
      )
      .sort(),
  ];
  const driver = net === undefined ? [] : [`net ${net.vm}`];
  return `${[tableHeader, ...driver, ...lines.flat()].join('\n')}\n`;
};
