/** Nodes of xenstore as dom0 sees them, with what may differ from run to run left out. */
import type { SimHost } from '../rig/sim/sim-host.ts';

/** By their paths: value and permissions. */
export type Nodes = ReadonlyMap<string, string>;

/** Whose values the other side, chance or the kernel chooses. */
const variable: readonly RegExp[] = [
  /\/(tx-|rx-)?ring-ref$/,
  /\/event-channel(-tx|-rx)?$/,
  /\/session$/,
  /\/knock\/\d+$/,
  /\/pid$/,
];

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
