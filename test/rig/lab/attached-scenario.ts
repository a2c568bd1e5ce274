import { assertReaches } from '../../scenario/ping.ts';
import { create, destroy, inNetVm, web } from '../../scenario/vms.ts';
import { outside4 } from '../host.ts';
import type { LabHost } from './lab-host.ts';
import { until } from './until.ts';

/** These acts need kernel modules that the fast rig's kernel may lack. A bond takes only a link that is down. */
const acts = [
  ['ip link add vrf9 up type vrf table 9', 'ip link set dev VIF master vrf9', 'ip link del vrf9'],
  [
    'ip link add bond9 up type bond',
    'ip link set dev VIF down; ip link set dev VIF master bond9',
    'ip link del bond9',
  ],
] as const;

/** A vif that another program puts into a VRF or bond is down and reported until it is free again. */
export const attachedVifIsClosed = async (host: LabHost): Promise<void> => {
  const domid = await create(host, web);
  const link = `vif${domid}.0`;
  const path = `/local/domain/${host.netVm}/backend/vif/${domid}/0`;
  const shell = (line: string) => inNetVm(host, ['sh', '-ec', line.replaceAll('VIF', link)]);
  const reads = async (node: string, value: string): Promise<true> =>
    until(
      async () => ((await host.read(`${path}/${node}`)) === value ? true : undefined),
      () => `${node} of ${link} is not ${value}`,
    );
  for (const [prepare, act, undo] of acts) {
    await assertReaches({ host, from: web }, outside4);
    await shell(prepare);
    await shell(act);
    await reads('hotplug-error', 'vifwatch: LINK_ATTACHED');
    await until(
      async () => (/[<,]UP[,>]/.test(await shell('ip -o link show dev VIF')) ? undefined : true),
      () => `${link} is up`,
    );
    await shell(undo);
    await reads('hotplug-status', 'connected');
  }
  await assertReaches({ host, from: web }, outside4);
  await destroy(host, web);
};
