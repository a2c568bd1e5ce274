/** Hardening of links, with fakes that record each call. */
import { expect, test } from 'vitest';
import { harden } from '../../../src/network/daemon/harden.ts';
import { linkNameOf } from '../../support/link-name.ts';

const opening = (link: string, address: string, mtu?: number) => ({
  served: { link: linkNameOf(link), hasIpv6: address.includes(':') },
  mtu,
});
const web = opening('vif3.0', 'fd00:5::3');
const mail = opening('vif4.0', '10.0.5.4');

/** A kernel that has the links' sysctls after ip has run; `refused` is a link that it refuses to harden. */
const openFakes = ({ late = [] as readonly string[], refused = '' } = {}) => {
  const calls: string[] = [];
  let hasRun = false;
  const network: Parameters<typeof harden>[1] = {
    hardenVif: (link, hasIpv6) => {
      calls.push(`harden ${link} ${hasIpv6 ? 'with' : 'without'} IPv6`);
      if (link === refused) throw new Error('EINVAL');
      return hasRun || !late.includes(link);
    },
    runBatch: async (lines) => {
      calls.push(...lines);
      hasRun = true;
    },
  };
  return { network, calls };
};

test('links that have all sysctls are hardened without ip', async () => {
  const { network, calls } = openFakes();
  expect((await harden([web, mail], network)).size).toBe(0);
  expect(calls).toEqual(['harden vif3.0 with IPv6', 'harden vif4.0 without IPv6']);
});

test('a link that the kernel has not finished is hardened again once the kernel has', async () => {
  const { network, calls } = openFakes({ late: ['vif3.0'] });
  await harden([web, mail], network);
  expect(calls.slice(2)).toEqual(['link set dev vif3.0 arp on', 'harden vif3.0 with IPv6']);
});

test('a link whose MTU is too small for IPv6 is hardened again once it has its new MTU', async () => {
  const { network, calls } = openFakes({ late: ['vif3.0'] });
  await harden([opening('vif3.0', 'fd00:5::3', 1400)], network);
  expect(calls.slice(1)).toEqual(['link set dev vif3.0 mtu 1400', 'harden vif3.0 with IPv6']);
});

test('a refused value is the problem of its link alone', async () => {
  const { network } = openFakes({ late: ['vif3.0'], refused: 'vif4.0' });
  const problems = await harden([web, mail], network);
  expect([...problems]).toEqual([[mail, { code: 'LINK_FAILED', text: 'EINVAL' }]]);
});
