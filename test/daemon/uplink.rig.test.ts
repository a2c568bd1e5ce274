/** Options of the uplink: VMs behind net-vm's own address, and its ports that lead to VMs. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { test } from 'vitest';
import { gateway4, gateway6, outside4 } from '../rig/host.ts';
import type { SimHost } from '../rig/sim/sim-host.ts';
import { assertReaches } from '../scenario/ping.ts';
import { create, web } from '../scenario/vms.ts';
import { slowness } from '../support/slowness.ts';
import { until } from '../support/until.ts';
import { withNetVm } from './net-vm.ts';
import { probe, startEcho } from './probe.ts';

const base = `uplink = ["eth0"]\ngateway = ["${gateway4}", "${gateway6}"]\n`;
const uplink4 = '192.0.2.2';

/** Takes away what the world knows of the VMs' addresses. */
const forgetTheWay = async (host: SimHost): Promise<void> => {
  const argv = host.sim.inNamespace('world', ['ip', 'route', 'del', '10.0.5.0/24']);
  assert.equal((await host.sim.run(argv, { domid: 0 })).status, 0);
};

const flowsOf = async (host: SimHost): Promise<string> =>
  (await host.inNetVm(['conntrack', '-L', '-s', web.ipv4])).stdout;

test('masquerade: VMs go out under the address of net-vm', () =>
  withNetVm(
    async (host) => {
      await startEcho(host, 'world', outside4);
      await create(host, web);
      await forgetTheWay(host);
      await assertReaches({ host, from: web }, outside4);
      const flow = probe(host, web.name, 'udp', outside4, { most: 4 });
      await until('the flow is translated', async () =>
        new RegExp(`udp .*dst=${uplink4} `).test(await flowsOf(host)),
      );
      const promisedMs = 100 * (await slowness());
      const changedAt = Date.now();
      writeFileSync(`${host.daemon.policies}/web.toml`, 'profile = "isolated"\n');
      assert.ok(
        (await flow).lastAt - changedAt < promisedMs,
        'a translated flow is cut like any other',
      );
    },
    { config: `${base}masquerade = true\n` },
  ));

test('a forwarded port leads to its VM, whatever else may not come in', () =>
  withNetVm(
    async (host) => {
      await create(host, web);
      await startEcho(host, web.name, web.ipv4);
      const from = (protocol: 'udp' | 'tcp', target: string, port: number) =>
        probe(host, 'world', protocol, target, { most: 1, port });
      assert.ok((await from('tcp', uplink4, 8007)).count > 0);
      assert.equal((await from('udp', uplink4, 8007)).count, 0, 'another protocol');
      assert.equal((await from('tcp', uplink4, 8008)).count, 0, 'another port');
      assert.equal((await from('tcp', web.ipv4, 7)).count, 0, 'not through the port');
      await host.signalDaemon('SIGTERM');
      assert.ok((await from('tcp', uplink4, 8007)).count > 0);
    },
    { config: `${base}[[forward]]\nproto = "tcp"\nport = 8007\nto = "${web.ipv4}"\ntoport = 7\n` },
  ));
