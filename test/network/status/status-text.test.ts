import { expect, test } from 'vitest';
import type { Status } from '../../../src/network/status/status.ts';
import { statusText } from '../../../src/network/status/status-text.ts';

const since = '2026-11-22T10:00:00.000Z';

const status: Status = {
  schema: 1,
  healthy: false,
  daemon: { pid: 7, since, version: '0.1.0', trouble: null, notices: [] },
  panic: false,
  uplinks: ['eth0'],
  gateways: ['10.0.5.1'],
  vifs: [
    {
      domid: 3,
      devid: 0,
      name: 'web',
      link: 'vif3.0',
      mac: '00:16:3e:00:00:03',
      since,
      addresses: ['10.0.5.3', 'fd00:5::3'],
      phase: 'connected',
      error: null,
      claim: { text: '6.6.6.6', count: 2 },
      refused: 12,
    },
    {
      domid: 4,
      devid: 1,
      name: null,
      link: 'vif4.1',
      mac: null,
      since: null,
      claim: null,
      refused: 0,
      addresses: [],
      phase: 'error',
      error: { code: 'MAC_INVALID', text: 'mac "x"' },
    },
  ],
  drops: { foreign_mac: 3, vlan_tagged: 1 },
  routes: [{ prefix: '10.0.5.3', link: 'vif3.0', via: null }],
};

test('the status text has columns without colours or borders', () => {
  expect(statusText(status)).toBe(`vifwatch 0.1.0 runs as 7 since 2026-11-22 10:00:00 UTC
uplinks: eth0   gateways: 10.0.5.1

VIF  VM   LINK    MAC                ADDRESSES           PHASE      SINCE (UTC)
3/0  web  vif3.0  00:16:3e:00:00:03  10.0.5.3 fd00:5::3  connected  2026-11-22 10:00:00
4/1  -    vif4.1  -                  -                   error      -                    MAC_INVALID: mac "x"
vif3.0: the guest claims "6.6.6.6" (claims so far: 2); used only if dom0 gave no address and a [[vm]] allows it
vif3.0: 12 packets were more than its share, and dropped

packets dropped: foreign_mac 3, vlan_tagged 1

ROUTE     LINK    VIA
10.0.5.3  vif3.0
`);
});

test('the status text shows trouble, and that no daemon runs', () => {
  const trouble = 'nft -j list: exit status 1';
  const daemon = { pid: 7, since, version: '0.1.0', trouble, notices: ['a size is too small'] };
  expect(statusText({ ...status, daemon })).toContain(
    `NOTICE: a size is too small\nTROUBLE, retrying: ${trouble}`,
  );
  expect(statusText({ ...status, daemon: null, vifs: [], drops: {}, routes: [] })).toBe(
    `vifwatch is NOT RUNNING: this status is from xenstore and the kernel
uplinks: eth0   gateways: 10.0.5.1

no vifs

no routes
`,
  );
});
