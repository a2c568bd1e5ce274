/** Another user holds the abstract socket names that release 0.1 used as locks. Daemon and agent run. */
import { test } from 'vitest';
import { makeVm, startHost } from '../../ipc/agent/vms.ts';
import type { SimHost } from '../../rig/sim/sim-host.ts';
import { namespaceOf } from '../../rig/sim/topology.ts';
import { until } from '../../support/until.ts';
import { withNetVm } from './net-vm.ts';

// libuv pads the name with zeros.
const program = (name: string): string => `
import os, socket, time
os.setgroups([]); os.setresgid(23456, 23456, 23456); os.setresuid(23456, 23456, 23456)
s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
s.bind('\\0${name}'.ljust(108, '\\0')); s.listen()
print('bound', flush=True)
time.sleep(600)
`;

const squat = async ({ sim }: SimHost, domid: number, name: string): Promise<void> => {
  const argv = sim.inNamespace(namespaceOf(domid), ['python3', '-c', program(name)]);
  const squatter = sim.start('squatter', argv, { domid });
  await until('the name is taken', () => squatter.log().includes('bound'));
};

test('the daemon starts although another user holds its name', () =>
  withNetVm(
    async (host) => {
      await squat(host, host.netVm, 'vifwatch');
      await host.startDaemon();
    },
    { daemon: false },
  ));

test('the agent starts although another user holds its name', async () => {
  const host = await startHost();
  const agent = await makeVm(host, 'sa-vm', { serve: [], policy: ['* * @anyvm sa-vm deny'] });
  await squat(host, agent.domid, 'vifwatch-agent');
  await agent.start();
});
