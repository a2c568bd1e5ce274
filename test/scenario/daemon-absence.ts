/** The daemon is killed, or does not run when VMs appear. */
import assert from 'node:assert/strict';
import { gateway4, type Host, outside4, outside6 } from '../rig/host.ts';
import { assertDoesNotReach, assertReaches, pingThroughout } from './ping.ts';
import { assertForgotten, attach, create, destroy, detach, inNetVm, mail, web } from './vms.ts';

/** Kills the daemon and starts it again, as its supervisor does. */
export const killAndRestart = async (host: Host): Promise<void> => {
  await host.signalDaemon('SIGKILL');
  await host.startDaemon();
};

/** `mail` starts before the daemon, and its traffic continues through all later kills. */
export const daemonMayDieBetweenAnyTwoSteps = async (host: Host): Promise<void> => {
  await host.signalDaemon('SIGTERM');
  await host.create(mail);
  await assertDoesNotReach({ host, from: mail }, outside4);
  await host.startDaemon();
  await assertReaches({ host, from: mail }, outside4);
  const traffic = pingThroughout({ host, from: mail }, outside4);

  const domid = await create(host, web);
  await killAndRestart(host);
  await assertReaches({ host, from: web }, outside4, outside6);
  await killAndRestart(host);
  await detach(host, web, 0);
  await killAndRestart(host);
  await assertForgotten(host, web);
  await attach(host, web, domid);
  await killAndRestart(host);
  await assertReaches({ host, from: web }, outside4, outside6);
  await destroy(host, web);
  await killAndRestart(host);
  await create(host, web);
  await assertReaches({ host, from: web }, outside4, outside6);

  await traffic.assertUninterrupted();
  await destroy(host, web);
  await destroy(host, mail);
};

export const trafficOutlivesTheDaemon = async (host: Host): Promise<void> => {
  await create(host, web);
  await assertReaches({ host, from: web }, gateway4, outside4, outside6);
  const rules = await inNetVm(host, ['nft', '-s', 'list', 'ruleset']);
  for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
    await host.signalDaemon(signal);
    assert.equal(await inNetVm(host, ['nft', '-s', 'list', 'ruleset']), rules);
    await assertReaches({ host, from: web }, gateway4, outside4, outside6);
    await host.startDaemon();
    assert.equal(await inNetVm(host, ['nft', '-s', 'list', 'ruleset']), rules);
  }
  await destroy(host, web);
};

export const vmsThatWereThereFirstAreServed = async (host: Host): Promise<void> => {
  await host.signalDaemon('SIGTERM');
  await host.create(web);
  await host.create(mail);
  await assertDoesNotReach({ host, from: web }, gateway4, outside4);
  await host.startDaemon();
  await assertReaches({ host, from: web }, outside4, outside6);
  await assertReaches({ host, from: mail }, outside4, outside6);
  await destroy(host, web);
  await destroy(host, mail);
};
