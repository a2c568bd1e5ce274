/** The daemon is killed, or does not run when VMs appear. */
import assert from 'node:assert/strict';
import { withoutUse } from '../network/daemon/listing.ts';
import { gateway4, type Host, outside4, outside6 } from '../rig/host.ts';
import { until } from '../support/until.ts';
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

/**
 * Waits until the firewall has both addresses of `web` as those of a live VM. If another VM with the same
 * addresses has just gone, the daemon adds them a moment later.
 */
const becomesLive = (host: Host): Promise<void> =>
  until('the addresses of web are live', async () => {
    const list = ['nft', 'list', 'set', 'inet', 'vifwatch'];
    const [live4, live6] = await Promise.all(
      ['live4', 'live6'].map((set) => inNetVm(host, [...list, set])),
    );
    return live4?.includes(web.ipv4) === true && live6?.includes(web.ipv6) === true;
  });

export const trafficOutlivesTheDaemon = async (host: Host): Promise<void> => {
  await create(host, web);
  await assertReaches({ host, from: web }, gateway4, outside4, outside6);
  await becomesLive(host);
  const rules = withoutUse(await inNetVm(host, ['nft', '-s', 'list', 'ruleset']));
  for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
    await host.signalDaemon(signal);
    assert.equal(withoutUse(await inNetVm(host, ['nft', '-s', 'list', 'ruleset'])), rules);
    await assertReaches({ host, from: web }, gateway4, outside4, outside6);
    await host.startDaemon();
    assert.equal(withoutUse(await inNetVm(host, ['nft', '-s', 'list', 'ruleset'])), rules);
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
