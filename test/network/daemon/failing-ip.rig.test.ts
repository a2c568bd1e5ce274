/** The ip program fails. The daemon goes on with everything that needs no ip. */
import { writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { gateway4, outside4 } from '../../rig/host.ts';
import type { SimHost } from '../../rig/sim/sim-host.ts';
import { assertReaches, ping } from '../../scenario/ping.ts';
import { create, inNetVm, mail, web } from '../../scenario/vms.ts';
import { until } from '../../support/until.ts';
import { status } from './net-vm.ts';
import { withStandIn } from './stand-in.ts';

const isolate = (host: SimHost, vm: string): void =>
  writeFileSync(`${host.daemon.policies}/${vm}.toml`, 'profile = "isolated"\n');

const isIsolated = async (host: SimHost, from: typeof web): Promise<boolean> =>
  (await ping({ host, from }, outside4, 1)).received === 0;

test('an ip that dies at one vif: other vifs come, are repaired, and get their new policies', () =>
  withStandIn(
    'ip',
    `! grep -q ' ${web.ipv4} ' /proc/self/fd/0 || kill -9 $$`,
    async (host, flag) => {
      flag.set();
      const coming = create(host, web);
      const errorOf = async (vm: string): Promise<string | undefined> =>
        (await status(host)).vifs.find(({ name }) => name === vm)?.error?.code;
      await until('status names the vif', async () => (await errorOf('web')) === 'LINK_FAILED');
      await create(host, mail);
      await assertReaches({ host, from: mail }, gateway4);
      await inNetVm(host, ['ip', 'route', 'del', mail.ipv4]);
      await until('the route is repaired', async () =>
        (await inNetVm(host, ['ip', 'route', 'get', mail.ipv4])).includes('dev vif'),
      );
      isolate(host, 'mail');
      await until("mail's policy is in force", () => isIsolated(host, mail));
      expect(await errorOf('mail')).toBe(undefined);
      flag.clear();
      await coming;
      await assertReaches({ host, from: web }, gateway4);
    },
  ));

test('while ip cannot list the links, a new policy comes into force', () =>
  withStandIn('ip', 'case "$*" in *-j*) exit 1;; esac', async (host, flag) => {
    await create(host, web);
    await assertReaches({ host, from: web }, outside4);
    flag.set();
    await inNetVm(host, ['ip', 'link', 'add', 'new0', 'type', 'veth', 'peer', 'name', 'new1']);
    await until('status reports the failure', async () => {
      const { daemon } = await status(host);
      return daemon?.trouble?.includes('ip -j') === true;
    });
    isolate(host, 'web');
    await until('the policy is in force', () => isIsolated(host, web));
  }));
