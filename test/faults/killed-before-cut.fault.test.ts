/**
 * The daemon ends right after a VM's policy has changed. The next daemon must cut the flow that the policy
 * forbids.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { test } from 'vitest';
import { withNetVm } from '../network/daemon/net-vm.ts';
import { isAnswered, startEcho, startProbe } from '../network/daemon/probe.ts';
import { withStandIn } from '../network/daemon/stand-in.ts';
import { outside4 } from '../rig/host.ts';
import { namespaceOf } from '../rig/sim/topology.ts';
import { create, web } from '../scenario/vms.ts';
import { until } from '../support/until.ts';
import { isCutSoon } from './in-namespace.ts';
import { fault } from './known.ts';

const isolated = 'profile = "isolated"\n';

// The stand-in sleeps as long as conntrack takes for a large table.
test.fails(fault('f5', 'a daemon killed before the cut cuts at its next start'), () =>
  withStandIn('conntrack', 'sleep 5', async (host, flag) => {
    await startEcho(host, 'world', outside4);
    const namespace = namespaceOf(await create(host, web));
    const flow = await startProbe(host, namespace, 'tcp', outside4);
    flag.set();
    writeFileSync(`${host.daemon.policies}/web.toml`, isolated);
    await until(
      'the policy is in force',
      async () => !(await isAnswered(host, namespace, 'udp', outside4)),
    );
    await host.signalDaemon('SIGKILL');
    flag.clear();
    await host.startDaemon();
    assert.ok(await isCutSoon(flow));
  }),
);

test.each(['SIGTERM', 'SIGKILL'] as const)('control: a change after %s cuts the flow', (signal) =>
  withNetVm(async (host) => {
    await startEcho(host, 'world', outside4);
    const namespace = namespaceOf(await create(host, web));
    const flow = await startProbe(host, namespace, 'tcp', outside4);
    await host.signalDaemon(signal);
    writeFileSync(`${host.daemon.policies}/web.toml`, isolated);
    await host.startDaemon();
    assert.ok(await isCutSoon(flow));
  }),
);
