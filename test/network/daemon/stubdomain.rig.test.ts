/**
 * A policy drops packets from a VM by its name. The daemon must also drop packets from the VM's stubdomain.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { test } from 'vitest';
import { gateway4 } from '../../rig/host.ts';
import { writeVif } from '../../rig/sim/toolstack.ts';
import { assertReaches, ping } from '../../scenario/ping.ts';
import { create, mail } from '../../scenario/vms.ts';
import { until } from '../../support/until.ts';
import { becomesConnected, place, withNetVm } from './net-vm.ts';

const guest = { name: 'guest' };
const stubdomain = { name: 'stubdomain' };
const ip = '10.0.5.30 fd00:5::30';
const mac = '00:16:3e:00:00:30';

const policy = `[[rule]]
action = "drop"
direction = "in"
srcvm = "${guest.name}"
[[rule]]
action = "accept"
direction = "in"
[[rule]]
action = "accept"
`;

test("a rule about a VM drops its stubdomain's packets", () =>
  withNetVm(async (host) => {
    const rules = host.daemon.policies;
    writeFileSync(`${rules}/guest.toml`, '[[rule]]\naction = "accept"\n');
    writeFileSync(`${rules}/mail.toml`, policy);
    await create(host, mail);
    const target = await host.create(guest);
    await host.actors.pause(target);
    await writeVif(host.dom0, place(target), { ip, mac });
    const stub = await host.create(stubdomain);
    await host.dom0.remove(`/ipc/domain-map/${stubdomain.name}`);
    await writeVif(host.dom0, place(stub), { ip, mac });
    await becomesConnected(host, stub);
    await until('the route leads to the stubdomain', async () =>
      (await host.inNetVm(['ip', 'route', 'show', '10.0.5.30'])).stdout.includes(`vif${stub}.0`),
    );
    await assertReaches({ host, from: stubdomain }, gateway4);
    assert.equal((await ping({ host, from: stubdomain }, mail.ipv4, 5)).received, 0);
  }));
