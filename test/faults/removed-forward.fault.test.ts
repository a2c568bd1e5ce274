/**
 * The operator removes a forward, restarts the daemon, and isolates the VM. The daemon must cut the TCP flow
 * that came through the forward.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { test } from 'vitest';
import { withNetVm } from '../network/daemon/net-vm.ts';
import { startEcho, startProbe } from '../network/daemon/probe.ts';
import { gateway4, gateway6 } from '../rig/host.ts';
import { namespaceOf } from '../rig/sim/topology.ts';
import { create, web } from '../scenario/vms.ts';
import { isCutSoon } from './in-namespace.ts';
import { fault } from './known.ts';

const base = `uplink = ["eth0"]\ngateway = ["${gateway4}", "${gateway6}"]\n`;
const forward = `[[forward]]\nproto = "tcp"\nport = 7\nto = "${web.ipv4}"\n`;

test.fails(fault('f4', 'the flow through a removed forward is cut'), () =>
  withNetVm(
    async (host) => {
      const namespace = namespaceOf(await create(host, web));
      await startEcho(host, namespace, web.ipv4);
      const flow = await startProbe(host, 'world', 'tcp', '192.0.2.2');
      host.daemon.configure(base);
      await host.signalDaemon('SIGTERM');
      await host.startDaemon();
      writeFileSync(`${host.daemon.policies}/web.toml`, 'profile = "isolated"\n');
      assert.ok(await isCutSoon(flow));
    },
    { config: base + forward },
  ),
);
