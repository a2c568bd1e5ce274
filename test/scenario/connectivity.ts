/** The targets that a VM reaches, and the targets that it must not reach. */
import { gateway4, gateway6, type Host, outside4, outside6 } from '../rig/host.ts';
import { assertDoesNotReach, assertReaches } from './ping.ts';
import { create, destroy, mail, web } from './vms.ts';

export const newVmReachesItsNetwork = async (host: Host): Promise<void> => {
  await create(host, web);
  await assertReaches({ host, from: web }, gateway4, gateway6, outside4, outside6);
  await assertReaches({ host, from: 'net-vm' }, web.ipv4, web.ipv6);
  await destroy(host, web);
};

export const vmsDoNotReachEachOther = async (host: Host): Promise<void> => {
  await create(host, web);
  await create(host, mail);
  await assertReaches({ host, from: web }, outside4, outside6);
  await assertReaches({ host, from: mail }, outside4, outside6);
  await assertReaches({ host, from: 'net-vm' }, web.ipv4, web.ipv6, mail.ipv4, mail.ipv6);
  await Promise.all([
    assertDoesNotReach({ host, from: web }, mail.ipv4, mail.ipv6),
    assertDoesNotReach({ host, from: mail }, web.ipv4, web.ipv6),
  ]);
  await destroy(host, web);
  await destroy(host, mail);
};
