/** Another program changes each setting that vifwatch has given to a vif's link. */
import { expect, test } from 'vitest';
import { settingsFor } from '../../../src/network/state/link-settings.ts';
import { setSysctl, sysctl } from '../../faults/in-namespace.ts';
import type { SimHost } from '../../rig/sim/sim-host.ts';
import { create, mail, web } from '../../scenario/vms.ts';
import { until } from '../../support/until.ts';
import { withNetVm } from './net-vm.ts';

const settingsOf = (link: string, hasIpv6: boolean) =>
  settingsFor(hasIpv6).map(({ path, value }) => ({ path: path.replace('*', link), value }));

const all = [...settingsOf('vif3.0', true), ...settingsOf('vif4.0', false)];

const wrongNow = async (host: SimHost, settings: typeof all): Promise<string[]> => {
  const wrong: string[] = [];
  for (const { path, value } of settings)
    if ((await sysctl(host, path)) !== value) wrong.push(path);
  return wrong;
};

const isRestored = (host: SimHost, settings: typeof all): Promise<void> =>
  until('the settings are restored', async () => (await wrongNow(host, settings)).length === 0);

/** The delay is in hundredths of a second, which a slow kernel clock rounds. */
const wrongValue = (path: string): number => (path.endsWith('proxy_delay') ? 80 : 1);

const spoil = (host: SimHost, { path, value }: (typeof all)[number]): Promise<string> =>
  setSysctl(host, path, value === '0' ? wrongValue(path) : 0);

/** The kernel tells of changes of these alone; a change of IPv6 as a whole changes addresses, which it reports too. */
const isReported = ({ path }: (typeof all)[number]): boolean =>
  /forwarding|proxy_ndp|rp_filter|proxy_arp|disable_ipv6/.test(path);

test('each setting of a vif is restored after another program has changed it', () =>
  withNetVm(async (host) => {
    await create(host, web);
    await create(host, { ...mail, vif: { ...mail.vif, ip: mail.ipv4 } });
    await isRestored(host, all);
    // Settings whose change the kernel reports lead to a look at all: they must not hide the others.
    const unreported = all.filter((setting) => !isReported(setting));
    for (const setting of unreported) await spoil(host, setting);
    expect(await wrongNow(host, unreported)).toEqual(unreported.map(({ path }) => path));
    await isRestored(host, all);
    for (const setting of all.filter(isReported)) {
      await spoil(host, setting);
      await isRestored(host, all);
    }
  }));
