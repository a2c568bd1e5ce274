/**
 * An ordinary guest probes its own address, or asks for an address. No counter of spoofed packets may grow.
 */
import { expect, test } from 'vitest';
import { shIn } from '../../faults/in-namespace.ts';
import { sendFrom } from '../../rig/sim/send.ts';
import { namespaceOf } from '../../rig/sim/topology.ts';
import { create, web } from '../../scenario/vms.ts';
import { until } from '../../support/until.ts';
import { udp4, udp6 } from './frames.ts';
import { status, withNetVm } from './net-vm.ts';
import { growth } from './spoofing-rig.ts';

const dhcp6 = udp6(
  { source: web.mac, target: '33:33:00:01:00:02', from: 'fe80::1', to: 'ff02::1:2' },
  547,
  546,
);

test.concurrent.each([
  ['a probe of the own address', `busybox arping -D -c 2 -w 2 -I eth0 ${web.ipv4} || true`],
  ['a DHCP request', 'timeout 4 busybox udhcpc -n -q -f -t 2 -T 1 -i eth0 -s /bin/true || true'],
])('%s is not counted as spoofing', (_name, line) =>
  withNetVm(async (host) => {
    const at = namespaceOf(await create(host, web));
    const before = (await status(host)).drops ?? {};
    await shIn(host, at, `${line} 2>&1`);
    // The frame that counts comes last, so all others have been judged.
    const lie = udp4({ source: web.mac, from: '203.0.113.99', to: '192.0.2.1' }, 7);
    await sendFrom(host.sim, at, [dhcp6, lie]);
    let grown: readonly string[] = [];
    await until('the last frame is counted', async () => {
      const { drops } = await status(host);
      grown = Object.keys(growth(before, drops ?? {}));
      return grown.includes('foreign_source4');
    });
    expect(grown).toEqual(['foreign_source4']);
  }),
);
