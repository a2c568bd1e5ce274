/**
 * Another user holds the name of the abstract socket, or /ipc/domain-map has many names. The daemon and the
 * agent must run.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { makeVm, startHost } from '../ipc/agent/vms.ts';
import { attachRaw, becomesConnected, withNetVm } from '../network/daemon/net-vm.ts';
import type { SimHost } from '../rig/sim/sim-host.ts';
import { namespaceOf } from '../rig/sim/topology.ts';
import { until } from '../support/until.ts';
import { fault } from './known.ts';

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

test.fails(fault('f12', 'the daemon starts although its socket name is taken'), () =>
  withNetVm(
    async (host) => {
      await squat(host, host.netVm, 'vifwatch');
      await host.startDaemon();
    },
    { daemon: false },
  ),
);

test.fails(fault('f12', 'the agent starts although its socket name is taken'), async () => {
  const host = await startHost();
  const agent = await makeVm(host, 'sa-vm', { serve: [], policy: ['* * @anyvm sa-vm deny'] });
  await squat(host, agent.domid, 'vifwatch-agent');
  await agent.start();
});

const quota = { nodes: 9_000, watches: 1_000 };

const nameMany = async ({ dom0 }: SimHost, count: number): Promise<void> => {
  for (let index = 0; index < count; index += 1) {
    const name = `application-vm-${`${index}`.padStart(5, '0')}`;
    await dom0.write(`/ipc/domain-map/${name}`, `${1000 + index}`);
  }
};

const serves = (store: 'xenstored' | 'oxenstored', count: number): Promise<void> =>
  withNetVm(
    async (host) => {
      await nameMany(host, count);
      await host.startDaemon();
      const guest = await host.create({ name: 'guest' });
      await attachRaw(host, guest, {});
      await becomesConnected(host, guest);
    },
    { daemon: false, store, quota },
  );

test('control: the daemon serves with 150 names in oxenstored', () => serves('oxenstored', 150));
test('control: the daemon serves with 300 names in xenstored', () => serves('xenstored', 300));

test.fails(fault('f13', 'the daemon serves with 300 names in oxenstored'), () =>
  serves('oxenstored', 300),
);

test.fails(fault('f13', 'a running daemon survives 300 new names in oxenstored'), () =>
  withNetVm(
    async (host) => {
      const pid = host.daemon.pid();
      await nameMany(host, 300);
      await delay(2_000);
      expect(() => process.kill(pid, 0)).not.toThrow();
    },
    { store: 'oxenstored', quota },
  ),
);
