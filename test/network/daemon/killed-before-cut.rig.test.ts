/**
 * The daemon ends right after a VM's policy has changed. The next daemon must cut the flow that the policy
 * forbids.
 */
import { writeFileSync } from 'node:fs';
import { test } from 'vitest';
import { outside4 } from '../../rig/host.ts';
import { namespaceOf } from '../../rig/sim/topology.ts';
import { create, web } from '../../scenario/vms.ts';
import { until } from '../../support/until.ts';
import { withNetVm } from './net-vm.ts';
import { isAnswered, startEcho, startProbe } from './probe.ts';
import { withStandIn } from './stand-in.ts';

const isolated = 'profile = "isolated"\n';

// The stand-in sleeps as long as conntrack takes for a large table.
test('a daemon that is killed before the cut cuts when it runs again', () =>
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
    await flow.isCut();
  }));

test.each(['SIGTERM', 'SIGKILL'] as const)(
  'a policy that changes after %s cuts the flow when the daemon runs again',
  (signal) =>
    withNetVm(async (host) => {
      await startEcho(host, 'world', outside4);
      const namespace = namespaceOf(await create(host, web));
      const flow = await startProbe(host, namespace, 'tcp', outside4);
      await host.signalDaemon(signal);
      writeFileSync(`${host.daemon.policies}/web.toml`, isolated);
      await host.startDaemon();
      await flow.isCut();
    }),
);
