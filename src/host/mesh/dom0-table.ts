/** Writes the table for dom0's scripts: one record per line, with single spaces between words. */
import { isHost, type Prefix } from '../../address/prefix.ts';
import type { Mesh } from './mesh.ts';

/** The table's first line. */
export const tableHeader = 'vifwatch-mesh 1';

const withLength = (prefix: Prefix): string =>
  isHost(prefix) ? `${prefix.text}/${prefix.length}` : prefix.text;

/** Returns the table. The VMs are in boot order; all other records are sorted. */
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
