/**
 * An ordinary guest probes its own address, or asks for an address. No counter of spoofed packets may grow.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { status, withNetVm } from '../network/daemon/net-vm.ts';
import { growth } from '../network/daemon/spoofing-rig.ts';
import { namespaceOf } from '../rig/sim/topology.ts';
import { create, web } from '../scenario/vms.ts';
import { shIn } from './in-namespace.ts';
import { fault } from './known.ts';

test.fails.each([
  ['a probe of the own address', `busybox arping -D -c 2 -w 2 -I eth0 ${web.ipv4} || true`],
  ['a DHCP request', 'timeout 4 busybox udhcpc -n -q -f -t 2 -T 1 -i eth0 -s /bin/true || true'],
])(fault('arp-probe', '%s is not counted as spoofing'), (_name, line) =>
  withNetVm(async (host) => {
    const domid = await create(host, web);
    await delay(1_000);
    const before = (await status(host)).drops ?? {};
    await shIn(host, namespaceOf(domid), `${line} 2>&1`);
    await delay(500);
    const grown = Object.keys(growth({ ...before }, { ...(await status(host)).drops }));
    expect(grown.filter((counter) => !counter.startsWith('unknown'))).toEqual([]);
  }),
);
