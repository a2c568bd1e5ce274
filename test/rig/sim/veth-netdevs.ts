/** netback's netdevs: veth pairs from `vifD.I` in net-vm to `ethI` in the guest; `ethI` has the vif's MAC. */
import { startIpBatch } from './ip-batch.ts';
import type { Netdevs, VifIdentity } from './netback.ts';
import type { Rig } from './rig.ts';
import { hasNamespace, namespaceOf } from './topology.ts';

export type VethNetdevs = Netdevs & { close(): Promise<void> };

const linkLine = ({ guest, devid, mac }: VifIdentity): string => {
  // Like the kernel, netback reports a malformed MAC only when the frontend connects.
  const address = /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/i.test(mac) ? `address ${mac}` : '';
  return (
    `link add vif${guest}.${devid} address fe:ff:ff:ff:ff:ff type veth ` +
    `peer name eth${devid} ${address} netns ${namespaceOf(guest)}`
  );
};

/** @param added is called for each new pair, so that the guest can configure its end */
export const vethNetdevs = (
  rig: Rig,
  netVm: string,
  added: (guest: number, devid: number) => void,
): VethNetdevs => {
  // The kernel makes netdevs in microseconds, before any hotplug script starts; a high priority comes close
  // to that.
  const argv = rig.inRig(['nice', '-n', '-20', 'ip', '-n', netVm]);
  const batch = startIpBatch(argv, rig.env({ domid: 0 }));
  return {
    add: async (vifs) => {
      await batch.run(vifs.map(linkLine).join('\n'));
      for (const { guest, devid } of vifs) added(guest, devid);
      return true;
    },
    // It names the guest's end, because net-vm's end may have been renamed. Each removal is a process of its
    // own, because the kernel takes 16 ms for it.
    remove: async (guest, devid) => {
      const argv = ['ip', '-n', namespaceOf(guest), 'link', 'del', `eth${devid}`];
      const { status, stderr } = await rig.run(rig.inRig(argv), { domid: 0 });
      // A guest that is freed meanwhile takes the pair with it.
      if (status !== 0 && hasNamespace(rig, guest)) throw new Error(stderr);
    },
    close: () => batch.close(),
  };
};

/** Netdevs that never appear. */
export const noNetdevs: VethNetdevs = {
  add: async () => false,
  remove: async () => undefined,
  close: async () => undefined,
};
