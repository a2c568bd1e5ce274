import type { AgentLink } from './agent-link.ts';
import { provisionedPairs } from './application-vms.ts';
import { must, type Run } from './command.ts';

/** The VMs that dom0 runs, and the connections to their agents. */
export type Domains = {
  /** Calls `appear`, which creates the VM; resolves with its domid when its agent answers. */
  start(vm: string, appear: () => Promise<unknown>): Promise<number>;
  /** Registers a VM that another program has just started; resolves with its domid when its agent answers. */
  register(vm: string): Promise<number>;
  /** Registers a VM that runs already and whose agent is connected. */
  recall(vm: string): Promise<void>;
  /** @throws Error if no VM with this name is registered */
  domid(vm: string): number;
  forget(vm: string): Promise<void>;
};

export const openDomains = (link: AgentLink, inDom0: Run): Domains => {
  const domids = new Map<string, number>();
  const remove = (path: string): Promise<string> => must(inDom0, ['xenstore-rm', path]);

  /** The offer directories that dom0 has made for this VM and other running VMs. */
  const placesOf = (vm: string) =>
    provisionedPairs.flatMap((pair) => {
      const [server, client] = [domids.get(pair.server), domids.get(pair.client)];
      if (server === undefined || client === undefined) return [];
      return pair.server === vm || pair.client === vm ? [{ server, client }] : [];
    });

  /**
   * Removes the offer directories in which the VM is the client; a server's own ones are gone with its
   * domain.
   */
  const forgetPlaces = async (vm: string): Promise<void> => {
    const domid = domids.get(vm);
    for (const pair of placesOf(vm)) {
      if (pair.client === domid) await remove(placeNode(pair));
    }
  };

  const adopt = async (vm: string): Promise<number> => {
    await forgetPlaces(vm);
    const domid = await connectConsole(link, inDom0, vm);
    domids.set(vm, domid);
    // xenstored ignores permissions for a domain that does not exist yet.
    for (const pair of placesOf(vm)) await provision(inDom0, pair);
    await writeNode(inDom0, mapNode(vm), `${domid}`, ['r0']);
    return domid;
  };

  return {
    start: async (vm, appear) => {
      const adopted = appear().then(() => adopt(vm));
      const [domid] = await Promise.all([adopted, link.started(vm)]);
      return domid;
    },
    register: async (vm) => {
      const [domid] = await Promise.all([connectConsole(link, inDom0, vm), link.started(vm)]);
      domids.set(vm, domid);
      return domid;
    },
    recall: async (vm) => {
      domids.set(vm, Number(await must(inDom0, ['xl', 'domid', vm])));
    },
    domid: (vm) => {
      const domid = domids.get(vm);
      if (domid === undefined) throw new Error(`no VM ${vm}`);
      return domid;
    },
    forget: async (vm) => {
      await forgetPlaces(vm);
      domids.delete(vm);
      await remove(mapNode(vm));
    },
  };
};

type Pair = { readonly server: number; readonly client: number };

/** The directory in which the server of a pair may offer a vchan to the client. */
const placeNode = ({ server, client }: Pair): string =>
  `/local/domain/${server}/ipc/direct/${client}`;

const provision = (inDom0: Run, pair: Pair): Promise<void> =>
  writeNode(inDom0, placeNode(pair), '', [`n${pair.server}`, `r${pair.client}`]);

/**
 * Writes a node. The permissions are xenstore-chmod's: the first names the owner and the access of all
 * others.
 */
const writeNode = async (
  inDom0: Run,
  path: string,
  value: string,
  permissions: readonly string[],
): Promise<void> => {
  await must(inDom0, ['xenstore-write', path, value]);
  await must(inDom0, ['xenstore-chmod', path, ...permissions]);
};

/** The domain-map entry that holds the VM's domid. */
const mapNode = (vm: string): string => `/ipc/domain-map/${vm}`;

/** Makes dom0's agent relay a domain's console; resolves with the domid. */
const connectConsole = async (link: AgentLink, inDom0: Run, name: string): Promise<number> => {
  const domid = await must(inDom0, ['xl', 'domid', name]);
  await link.connect(name, await must(inDom0, ['xenstore-read', consoleNode(domid)]));
  return Number(domid);
};

/** The node where xenconsoled publishes a domain's terminal. */
export const consoleNode = (domid: string): string => `/local/domain/${domid}/console/tty`;
