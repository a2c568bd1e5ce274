/** A guest that changes its own frontend nodes in xenstore gains no address by that. */
import assert from 'node:assert/strict';
import { gateway4, type Host, outside4 } from '../rig/host.ts';
import { assertReaches, ping } from './ping.ts';
import { create, destroy, inNetVm, inVm, web } from './vms.ts';
import { placeWitness } from './witness.ts';

const claimed = '6.6.6.6';

const assertGainsNothing = async (host: Host): Promise<void> => {
  const witness = await placeWitness(host, `ip saddr ${claimed}`);
  const { sent } = await ping({ host, from: web }, gateway4, 2, claimed);
  assert.ok(sent > 0);
  assert.equal(await witness.count(), 0);
  await witness.remove();
  assert.doesNotMatch(await inNetVm(host, ['ip', 'route']), /6\.6\.6\.6/);
  assert.doesNotMatch(await inNetVm(host, ['nft', 'list', 'ruleset']), /6\.6\.6\.6/);
  await assertReaches({ host, from: web }, gateway4, outside4);
};

export const guestThatRewritesItsAddressGainsNothing = async (host: Host): Promise<void> => {
  await create(host, web);
  await assertReaches({ host, from: web }, gateway4, outside4);
  await inVm(host, web, ['xenstore-write', 'device/vif/0/ip', claimed]);
  await inVm(host, web, ['ip', 'addr', 'add', `${claimed}/32`, 'dev', 'eth0']);
  await assertGainsNothing(host);
  await host.signalDaemon('SIGKILL');
  await host.startDaemon();
  await assertGainsNothing(host);
  await destroy(host, web);
};
