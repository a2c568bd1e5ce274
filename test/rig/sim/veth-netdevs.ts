/** netback's netdevs: veth pairs from `vifD.I` in net-vm to `ethI` in the guest, whose end has the vif's MAC. */
import { startIpBatch } from './ip-batch.ts';
import type { Netdevs, VifIdentity } from './netback.ts';
import type { Rig } from './rig.ts';
import { hasNamespace, namespaceOf } from './topology.ts';

export type VethNetdevs = Netdevs & { close(): Promise<void> };

const linkLine = ({ guest, devid, mac }: VifIdentity): string => {
  // The kernel refuses a malformed MAC only when the frontend connects, and then netback reports it.
  const address = /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/i.test(mac) ? `address ${mac}` : '';
  return (
    `link add vif${guest}.${devid} address fe:ff:ff:ff:ff:ff type veth ` +
    `peer name eth${devid} ${address} netns ${namespaceOf(guest)}`
  );
};

/** `added` hears of each pair, in time for the guest to configure its end. */
export const vethNetdevs = (
  rig: Rig,
  netVm: string,
  added: (guest: number, devid: number) => void,
): VethNetdevs => {
  // The kernel makes its netdevs in microseconds: no hotplug script begins before, however many do at once.
  const argv = rig.inRig(['nice', '-n', '-20', 'ip', '-n', netVm]);
  const batch = startIpBatch(argv, rig.env({ domid: 0 }));
  return {
    add: async (vifs) => {
      await batch.run(vifs.map(linkLine).join('\n'));
      for (const { guest, devid } of vifs) added(guest, devid);
      return true;
    },
    // By the guest's end, because the other one may have been renamed. A process each: each takes 16 ms in the kernel.
    remove: async (guest, devid) => {
      const argv = ['ip', '-n', namespaceOf(guest), 'link', 'del', `eth${devid}`];
      const { status, stderr } = await rig.run(rig.inRig(argv), { domid: 0 });
      // A guest that has been freed meanwhile has taken the pair with it.
      if (status !== 0 && hasNamespace(rig, guest)) throw new Error(stderr);
    },
    close: () => batch.close(),
  };
};

/** A netback that never gets its netdev registered. */
export const noNetdevs: VethNetdevs = {
  add: async () => false,
  remove: async () => undefined,
  close: async () => undefined,
};
