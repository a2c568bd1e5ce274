/** xenstore nodes as dom0 sees them, without values that differ between runs. */
import type { SimHost } from '../rig/sim/sim-host.ts';

/** Value and permissions of nodes, by path. */
export type Nodes = ReadonlyMap<string, string>;

/** Paths of nodes whose values depend on the peer, on chance or on the kernel. */
const variable: readonly RegExp[] = [
  /\/(tx-|rx-)?ring-ref$/,
  /\/event-channel(-tx|-rx)?$/,
  /\/session$/,
  /\/knock\/\d+$/,
  /\/pid$/,
];

/** Reads the nodes at and below a path. */
export const nodesBelow = async ({ dom0 }: SimHost, top: string): Promise<Nodes> => {
  const nodes = new Map<string, string>();
  for (const [below, value] of await dom0.tree(top)) {
    const path = below === '' ? top : `${top}/${below.replace(/^\//, '')}`;
    const permissions = (await dom0.getPermissions(path)).map(({ domid, read, write }) => {
      const letter = write ? (read ? 'b' : 'w') : read ? 'r' : 'n';
      return `${letter}${domid}`;
    });
    const shown = variable.some((pattern) => pattern.test(path)) ? '...' : JSON.stringify(value);
    nodes.set(path, `${shown} (${permissions.join(' ')})`);
  }
  return new Map([...nodes].sort(([a], [b]) => (a < b ? -1 : 1)));
};
