/** Options of the uplink: VMs masqueraded behind net-vm's own address, and its ports that lead to VMs. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { test } from 'vitest';
import { gateway4, gateway6, outside4 } from '../../rig/host.ts';
import type { SimHost } from '../../rig/sim/sim-host.ts';
import { namespaceOf } from '../../rig/sim/topology.ts';
import { assertReaches } from '../../scenario/ping.ts';
import { create, web } from '../../scenario/vms.ts';
import { withNetVm } from './net-vm.ts';
import { isAnswered, type Protocol, startEcho, startProbe } from './probe.ts';

const base = `uplink = ["eth0"]\ngateway = ["${gateway4}", "${gateway6}"]\n`;
const uplink4 = '192.0.2.2';

/** Removes the world's route to the VMs' addresses. */
const forgetTheWay = async (host: SimHost): Promise<void> => {
  const argv = host.sim.inNamespace('world', ['ip', 'route', 'del', '10.0.5.0/24']);
  assert.equal((await host.sim.run(argv, { domid: 0 })).status, 0);
};

const flowsOf = async (host: SimHost): Promise<string> =>
  (await host.inNetVm(['conntrack', '-L', '-s', web.ipv4])).stdout;

test("with masquerade, VMs use net-vm's address beyond the uplink", () =>
  withNetVm(
    async (host) => {
      await startEcho(host, 'world', outside4);
      const at = namespaceOf(await create(host, web));
      await forgetTheWay(host);
      await assertReaches({ host, from: web }, outside4);
      const flow = await startProbe(host, at, 'udp', outside4);
      assert.match(await flowsOf(host), new RegExp(`udp .*dst=${uplink4} `));
      // A masqueraded flow is cut like any other flow.
      writeFileSync(`${host.daemon.policies}/web.toml`, 'profile = "isolated"\n');
      await flow.isCut();
    },
    { config: `${base}masquerade = true\n` },
  ));

test('a forwarded port leads to its VM, and nothing else comes in', () =>
  withNetVm(
    async (host) => {
      const at = namespaceOf(await create(host, web));
      await startEcho(host, at, web.ipv4);
      const from = (protocol: Protocol, target: string, port: number): Promise<boolean> =>
        isAnswered(host, 'world', protocol, target, port);
      assert.ok(await from('tcp', uplink4, 8007));
      const others = {
        'another protocol': from('udp', uplink4, 8007),
        'another port': from('tcp', uplink4, 8008),
        'not through the port': from('tcp', web.ipv4, 7),
        'another protocol, not through the port': from('udp', web.ipv4, 7),
      };
      for (const [what, answered] of Object.entries(others))
        assert.equal(await answered, false, what);
      await host.signalDaemon('SIGTERM');
      assert.ok(await from('tcp', uplink4, 8007));
    },
    { config: `${base}[[forward]]\nproto = "tcp"\nport = 8007\nto = "${web.ipv4}"\ntoport = 7\n` },
  ));
