import type { AgentLink } from './agent-link.ts';
import { must, type Run } from './command.ts';

/** The application VMs that dom0 runs, and the way to their agents. */
export type Domains = {
  /** Does what makes a VM appear under this name; resolves with its domid once it answers. */
  start(vm: string, appear: () => Promise<unknown>): Promise<number>;
  /** Takes notice of a VM that runs already. */
  recall(vm: string): Promise<void>;
  /** Throws if there is no such VM. */
  domid(vm: string): number;
  forget(vm: string): Promise<void>;
};

export const openDomains = (link: AgentLink, inDom0: Run): Domains => {
  const domids = new Map<string, number>();
  const adopt = async (vm: string): Promise<number> => {
    const domid = await connectConsole(link, inDom0, vm);
    domids.set(vm, domid);
    await must(inDom0, ['xenstore-write', mapNode(vm), `${domid}`]);
    // Owned by dom0, readable by all.
    await must(inDom0, ['xenstore-chmod', mapNode(vm), 'r0']);
    return domid;
  };
  return {
    start: async (vm, appear) => {
      const adopted = appear().then(() => adopt(vm));
      const [domid] = await Promise.all([adopted, link.started(vm)]);
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
      domids.delete(vm);
      await must(inDom0, ['xenstore-rm', mapNode(vm)]);
    },
  };
};

/** Where dom0 tells everybody which VM has which domid. */
const mapNode = (vm: string): string => `/ipc/domain-map/${vm}`;

/** Makes dom0's agent relay a domain's console; resolves with the domain's id. */
export const connectConsole = async (
  link: AgentLink,
  inDom0: Run,
  name: string,
): Promise<number> => {
  const domid = await must(inDom0, ['xl', 'domid', name]);
  await link.connect(name, await must(inDom0, ['xenstore-read', consoleNode(domid)]));
  return Number(domid);
};

/** Where xenconsoled says which terminal leads to a domain. */
export const consoleNode = (domid: string): string => `/local/domain/${domid}/console/tty`;
