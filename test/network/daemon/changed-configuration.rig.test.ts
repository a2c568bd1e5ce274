/**
 * The operator changes the configuration and restarts the daemon. The daemon cuts the flows that the new
 * configuration forbids, and no other flow.
 */
import { test } from 'vitest';
import { gateway4, gateway6, outside4 } from '../../rig/host.ts';
import type { SimHost } from '../../rig/sim/sim-host.ts';
import { namespaceOf } from '../../rig/sim/topology.ts';
import { create, inNetVm, mail, web } from '../../scenario/vms.ts';
import { until } from '../../support/until.ts';
import { withNetVm } from './net-vm.ts';
import { startEcho, startProbe } from './probe.ts';

const base = `uplink = ["eth0"]\ngateway = ["${gateway4}", "${gateway6}"]\n`;
const uplink4 = '192.0.2.2';

const forwardTo = (address: string): string =>
  `[[forward]]\nproto = "tcp"\nport = 7\nto = "${address}"\n`;

const restartWith = async (host: SimHost, config: string): Promise<void> => {
  host.daemon.configure(config);
  await host.signalDaemon('SIGTERM');
  await host.startDaemon();
};

test.each([
  ['removed', base],
  ['moved to another VM', base + forwardTo(mail.ipv4)],
])('a flow through a forward is cut if the forward is %s', (_, config) =>
  withNetVm(
    async (host) => {
      const namespace = namespaceOf(await create(host, web));
      await create(host, mail);
      await startEcho(host, namespace, web.ipv4);
      await startEcho(host, 'world', outside4);
      const flow = await startProbe(host, 'world', 'tcp', uplink4);
      const other = await startProbe(host, namespace, 'tcp', outside4);
      await restartWith(host, base + forwardTo(web.ipv4));
      await Promise.all([flow.goesOn(), other.goesOn()]);
      await restartWith(host, config);
      await flow.isCut();
      await other.goesOn();
    },
    { config: base + forwardTo(web.ipv4) },
  ),
);

test("with masquerade from now on, flows that leave with the VM's own address are cut", () =>
  withNetVm(
    async (host) => {
      await startEcho(host, 'world', outside4);
      const namespace = namespaceOf(await create(host, web));
      const flow = await startProbe(host, namespace, 'udp', outside4);
      await restartWith(host, `${base}masquerade = true\n`);
      await until("the flow has net-vm's address", async () => {
        const flows = await inNetVm(host, ['conntrack', '-L', '-s', web.ipv4, '-p', 'udp']);
        return (
          flows.includes(`dst=${uplink4} `) && !flows.includes(`src=${outside4} dst=${web.ipv4}`)
        );
      });
      await flow.goesOn();
    },
    { config: base },
  ));
