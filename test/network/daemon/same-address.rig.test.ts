/** Two vifs with one address: both are served if they belong to the same VM, else only the first. */
import assert from 'node:assert/strict';
import { filter, firstValueFrom } from 'rxjs';
import { test } from 'vitest';
import { gateway4, outside4, outside6 } from '../../rig/host.ts';
import type { SimHost } from '../../rig/sim/sim-host.ts';
import { writeVif } from '../../rig/sim/toolstack.ts';
import { assertDoesNotReach, assertReaches } from '../../scenario/ping.ts';
import { inNetVm } from '../../scenario/vms.ts';
import { openBound } from '../../support/slowness.ts';
import { until } from '../../support/until.ts';
import { firstArrival, watchWorld } from './arrivals.ts';
import { udp4 } from './frames.ts';
import {
  backend,
  becomesConnected,
  becomesRefused,
  kernelState,
  place,
  status,
  withNetVm,
} from './net-vm.ts';
import { startFlood } from './sender.ts';

const ip = '10.0.5.30';
const ip6 = 'fd00:5::30';
const mac = '00:16:3e:00:00:30';
const otherMac = '00:16:3e:00:00:31';
const first = { name: 'first' };
const second = { name: 'second' };
const port = 7777;

const framesFrom = (source: string): readonly string[] => [
  udp4({ source, from: ip, to: outside4 }, port),
];

/** Attaches a vif without a wait for state 2, which may be over before a look. */
const attachTo = (host: SimHost, guest: number, own = mac): Promise<void> =>
  writeVif(host.dom0, place(guest), { ip: `${ip} ${ip6}`, mac: own });

const routeIsTo = (host: SimHost, guest: number): Promise<void> =>
  until(`the route is to vif${guest}.0`, async () => {
    const routes = [
      host.inNetVm(['ip', '-4', 'route', 'show', ip]),
      host.inNetVm(['ip', '-6', 'route', 'show', ip6]),
    ];
    return (await Promise.all(routes)).every(({ stdout }) => {
      const devices = [...stdout.matchAll(/dev (\S+)/g)].map(([, device]) => device);
      return devices.join() === `vif${guest}.0`;
    });
  });

const elementsAre = (host: SimHost, ...guests: readonly number[]): Promise<void> =>
  until(`the elements are those of ${guests.join(' and ') || 'no guest'}`, async () => {
    const { stdout } = await host.inNetVm(['vifwatch', 'export']);
    const links = [...stdout.matchAll(/address4 \{ "vif(\d+)\.0" /g)].map(([, id]) => Number(id));
    return links.join() === guests.join();
  });

const isAsBefore = (host: SimHost, before: string): Promise<void> =>
  until("the kernel's state is as before", async () => (await kernelState(host)) === before);

/** The number of packets that a guest has sent through its first vif. */
const packetsFrom = async (host: SimHost, guest: number): Promise<number> =>
  Number(await inNetVm(host, ['cat', `/sys/class/net/vif${guest}.0/statistics/rx_packets`]));

const floodReaches = (host: SimHost, guest: number): Promise<void> =>
  until(`the flood reaches vif${guest}.0`, async () => (await packetsFrom(host, guest)) > 100);

/** The time at which the first vif of a guest is closed; ms since the epoch. */
const closedAt = async ({ actors }: SimHost, guest: number): Promise<number> =>
  (
    await firstValueFrom(
      actors.events.pipe(filter((event) => event.what === 'closed' && event.guest === guest)),
    )
  ).at;

test.concurrent('after a VM reboot, the new vif is served beside the old one and gets the packets when the old one closes', async () => {
  await withNetVm(async (host) => {
    const nothing = await kernelState(host);
    const arrived = await watchWorld(host, port);
    const bound = await openBound(50);
    const gaps: number[] = [];
    for (let round = 0; round < 3; round++) {
      const old = await host.create(first);
      await attachTo(host, old);
      await becomesConnected(host, old);
      await assertReaches({ host, from: first }, gateway4, outside4, outside6);
      const heir = await host.create(second);
      await attachTo(host, heir);
      await becomesConnected(host, heir);
      await elementsAre(host, old, heir);
      await assertReaches({ host, from: first }, outside4);

      const arrival = firstArrival(host, port);
      await arrival.listening;
      const before = await arrived();
      await startFlood(host, heir, framesFrom(mac));
      await floodReaches(host, heir);
      await routeIsTo(host, old);
      assert.equal(
        await arrived(),
        before,
        'a packet of the new vif passed while the old vif had the route',
      );
      const closed = closedAt(host, old);
      const { status: exit } = await host.destroy(first.name);
      assert.equal(exit, 0);
      gaps.push((await arrival.at) - (await closed));
      await elementsAre(host, heir);
      await routeIsTo(host, heir);
      await assertReaches({ host, from: second }, gateway4, outside4, outside6);
      await host.destroy(second.name);
      await isAsBefore(host, nothing);
    }
    const median = [...gaps].sort((a, b) => a - b)[1] ?? Number.NaN;
    console.info(`first packet ${gaps.map((ms) => ms.toFixed(1)).join(', ')} ms after the close`);
    await bound.assertKept(median, 'ms until the first packet');
  });
});

test.concurrent('an HVM guest and its stubdomain: both vifs are guarded, and the packets go to the live one', async () => {
  await withNetVm(async (host) => {
    const before = await kernelState(host);
    const target = await host.create(first);
    // The guest's paravirtual driver has not started yet.
    await host.actors.pause(target);
    await attachTo(host, target);
    const stub = await host.create(second);
    await host.dom0.remove(`/ipc/domain-map/${second.name}`);
    await attachTo(host, stub);
    await becomesConnected(host, stub);
    await elementsAre(host, target, stub);
    await routeIsTo(host, stub);
    await assertReaches({ host, from: second }, gateway4, outside4, outside6);

    await host.actors.boot(target);
    await becomesConnected(host, target);
    await routeIsTo(host, target);
    await assertReaches({ host, from: first }, gateway4, outside4, outside6);
    await elementsAre(host, target, stub);
    const { vifs, healthy } = await status(host);
    assert.deepEqual([vifs.map(({ phase }) => phase), healthy], [['connected', 'connected'], true]);

    await host.destroy(first.name);
    await routeIsTo(host, stub);
    await assertReaches({ host, from: second }, gateway4, outside4, outside6);
    await host.destroy(second.name);
    await isAsBefore(host, before);
  });
});

test.concurrent('another VM gets the address by itself once the address is free, and sends nothing before', async () => {
  await withNetVm(async (host) => {
    const before = await kernelState(host);
    const owner = await host.create(first);
    await attachTo(host, owner);
    await becomesConnected(host, owner);
    await assertReaches({ host, from: first }, gateway4, outside4, outside6);
    const arrived = await watchWorld(host, port);
    const claimant = await host.create(second);
    await startFlood(host, claimant, framesFrom(otherMac));
    await attachTo(host, claimant, otherMac);
    const refused = await becomesRefused(host, claimant, 'ADDRESS_TAKEN');
    assert.match(
      refused?.error?.text ?? '',
      new RegExp(`${ip} belongs to the live vif ${owner}/0`),
    );
    await elementsAre(host, owner);
    // Even with its link up, the claimant reaches nothing; the daemon sets the link down again.
    await inNetVm(host, ['ip', 'link', 'set', `vif${claimant}.0`, 'up']);
    await until(
      "the claimant's packets come in",
      async () => (await packetsFrom(host, claimant)) > 0,
    );
    await assertDoesNotReach({ host, from: second }, gateway4, outside4, outside6);
    await assertReaches({ host, from: first }, outside4);
    assert.equal(await arrived(), 0);

    await host.destroy(first.name);
    await becomesConnected(host, claimant);
    assert.equal(await host.read(`${backend(claimant)}/hotplug-error`), undefined);
    await elementsAre(host, claimant);
    await until("the claimant's packets pass", async () => (await arrived()) > 0);
    await host.destroy(second.name);
    await isAsBefore(host, before);
  });
});

test.concurrent('a working vif that is served once more continues to work', async () => {
  await withNetVm(async (host) => {
    const guest = await host.create(first);
    await attachTo(host, guest);
    await becomesConnected(host, guest);
    const before = await kernelState(host);
    await host.dom0.write(`${backend(guest)}/hotplug-status`, '');
    await until('the vif is connected again', async () => {
      return (await host.read(`${backend(guest)}/hotplug-status`)) === 'connected';
    });
    assert.equal(await host.read(`${backend(guest)}/hotplug-error`), undefined);
    assert.equal(await kernelState(host), before);
    await assertReaches({ host, from: first }, gateway4, outside4, outside6);
  });
});
