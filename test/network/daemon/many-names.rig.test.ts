/** /ipc/domain-map has more names than oxenstored can list. The daemon reads those that it needs. */
import { writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { SimHost } from '../../rig/sim/sim-host.ts';
import { until } from '../../support/until.ts';
import { attachRaw, becomesConnected, becomesRefused, status, withNetVm } from './net-vm.ts';

const quota = { nodes: 9_000, watches: 1_000 };

const nameMany = async ({ dom0 }: SimHost, count: number): Promise<void> => {
  for (let index = 0; index < count; index += 1) {
    const name = `application-vm-${`${index}`.padStart(5, '0')}`;
    await dom0.write(`/ipc/domain-map/${name}`, `${1000 + index}`);
  }
};

const serve = async (host: SimHost, name: string, ip: string): Promise<number> => {
  const guest = await host.create({ name });
  await attachRaw(host, guest, { ip });
  return guest;
};

test.each([
  ['oxenstored', 150],
  ['oxenstored', 300],
  ['xenstored', 300],
] as const)('with %s, the daemon serves a VM among %i names', (store, count) =>
  withNetVm(
    async (host) => {
      await nameMany(host, count);
      await host.startDaemon();
      await becomesConnected(host, await serve(host, 'guest', '10.0.5.40'));
    },
    { daemon: false, store, quota },
  ),
);

test('a running daemon knows the VMs of its policies among 300 names, and opens no other one', () =>
  withNetVm(
    async (host) => {
      writeFileSync(`${host.daemon.policies}/guest.toml`, 'profile = "isolated"\n');
      const guest = await serve(host, 'guest', '10.0.5.40');
      await becomesConnected(host, guest);
      await nameMany(host, 300);
      const other = await serve(host, 'other', '10.0.5.41');
      await becomesRefused(host, other, 'POLICY_UNNAMED');
      writeFileSync(`${host.daemon.policies}/other.toml`, 'profile = "isolated"\n');
      await becomesConnected(host, other);
      await until('the daemon knows both names', async () => {
        const { vifs } = await status(host);
        return vifs.map(({ name }) => name).join() === 'guest,other';
      });
      expect((await status(host)).healthy).toBe(true);
    },
    { store: 'oxenstored', quota },
  ));
