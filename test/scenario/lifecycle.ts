/** dom0 attaches, detaches, destroys and recreates VMs and vifs. */
import assert from 'node:assert/strict';
import { type Host, outside4, outside6 } from '../rig/host.ts';
import { assertDoesNotReach, assertReaches } from './ping.ts';
import { assertForgotten, assertKnown, attach, create, destroy, detach, mail, web } from './vms.ts';

const backend = (host: Host, domid: number, devid: number): string =>
  `/local/domain/${host.netVm}/backend/vif/${domid}/${devid}`;

export const detachedVifComesBack = async (host: Host): Promise<void> => {
  const domid = await create(host, web);
  await assertReaches({ host, from: web }, outside4, outside6);
  await assertKnown(host, web);
  await detach(host, web, 0);
  assert.equal(await host.read(backend(host, domid, 0)), undefined);
  await assertForgotten(host, web);
  await assertDoesNotReach({ host, from: web }, outside4);
  assert.equal(await attach(host, web, domid), 0);
  await assertReaches({ host, from: web }, outside4, outside6);
  await destroy(host, web);
};

export const destroyIsQuickAndLeavesNothing = async (host: Host): Promise<void> => {
  await create(host, web);
  await create(host, mail);
  await assertReaches({ host, from: web }, outside4, outside6);
  await assertReaches({ host, from: mail }, outside4, outside6);
  await Promise.all([assertKnown(host, web), assertKnown(host, mail)]);
  await destroy(host, web);
  await assertForgotten(host, web);
  await assertKnown(host, mail);
  await assertReaches({ host, from: mail }, outside4, outside6);
  await destroy(host, mail);
  await assertForgotten(host, mail);
};

export const rebootedVmKeepsItsAddress = async (host: Host): Promise<void> => {
  const before = await create(host, web);
  await assertReaches({ host, from: web }, outside4, outside6);
  await destroy(host, web);
  const after = await create(host, web);
  assert.notEqual(after, before);
  await assertReaches({ host, from: web }, outside4, outside6);
  await destroy(host, web);
};
