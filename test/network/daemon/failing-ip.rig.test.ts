/** The ip program fails whenever it works for one VM. The daemon goes on with all others. */
import { writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { gateway4, outside4 } from '../../rig/host.ts';
import { assertReaches, ping } from '../../scenario/ping.ts';
import { create, inNetVm, mail, web } from '../../scenario/vms.ts';
import { until } from '../../support/until.ts';
import { status } from './net-vm.ts';
import { withStandIn } from './stand-in.ts';

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
      writeFileSync(`${host.daemon.policies}/mail.toml`, 'profile = "isolated"\n');
      await until(
        "mail's policy is in force",
        async () => (await ping({ host, from: mail }, outside4, 1)).received === 0,
      );
      expect(await errorOf('mail')).toBe(undefined);
      flag.clear();
      await coming;
      await assertReaches({ host, from: web }, gateway4);
    },
  ));
