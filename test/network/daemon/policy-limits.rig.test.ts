/** Limits and logs of rules: the flows beyond a limit, and the packets that are logged. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { test } from 'vitest';
import { outside4 } from '../../rig/host.ts';
import type { SimHost } from '../../rig/sim/sim-host.ts';
import { namespaceOf } from '../../rig/sim/topology.ts';
import { create, web } from '../../scenario/vms.ts';
import { until } from '../../support/until.ts';
import { netbackMac } from './frames.ts';
import { withNetVm } from './net-vm.ts';
import { type Packet, throughNetVm } from './packet-lab.ts';
import { loggedAmong } from './packet-log.ts';

const flows = 40;
const port = 7777;

/** Sends `flows` new flows; resolves with the number of flows that come out beyond the uplink. */
const sendFlows = async (host: SimHost, domid: number, expected: number): Promise<number> => {
  const packet: Packet = {
    place: namespaceOf(domid),
    sourceMac: web.mac,
    targetMac: netbackMac,
    source: web.ipv4,
    target: outside4,
    protocol: 'udp',
    port,
    type: 0,
  };
  const places = ['world', packet.place];
  const arrived = await throughNetVm(host, places, Array(flows).fill(packet), expected);
  return arrived.filter(([where]) => where === 'world').length;
};

const withPolicy = (
  rules: string,
  body: (host: SimHost, domid: number) => Promise<void>,
): Promise<void> =>
  withNetVm(async (host) => {
    writeFileSync(`${host.daemon.policies}/web.toml`, rules);
    const domid = await create(host, web);
    await until('the policy is in force', async () => {
      const { stdout } = await host.inNetVm(['nft', 'list', 'table', 'inet', 'vifwatch']);
      return stdout.includes('jump out-web-');
    });
    await body(host, domid);
  });

// Five flows may come at once at any rate; at this rate, the sixth may come an hour later.
test('new flows beyond a limit do not match the rule', () =>
  withPolicy('[[rule]]\naction = "accept"\nlimit = "1/hour"\n', async (host, domid) => {
    assert.equal(await sendFlows(host, domid, 5), 5);
    assert.equal(await sendFlows(host, domid, 0), 0);
  }));

test('a later rule without a limit decides about the flows beyond the limit', () =>
  withPolicy(
    '[[rule]]\naction = "drop"\nlimit = "1/hour"\n[[rule]]\naction = "accept"\n',
    async (host, domid) => {
      assert.equal(await sendFlows(host, domid, flows - 5), flows - 5);
    },
  ));

test('a rule with log logs a few packets and names the policy and the vif', () =>
  withPolicy('[[rule]]\naction = "drop"\nlog = true\n', async (host, domid) => {
    let seconds = 0;
    const logged = await loggedAmong(host, { port, count: flows }, async () => {
      const start = performance.now();
      await sendFlows(host, domid, 0);
      seconds = (performance.now() - start) / 1000;
    });
    // The limit is five packets at once, and five more each second.
    const isFew = logged.length >= 5 && logged.length <= 5 + 5 * seconds;
    assert.ok(isFew, `${logged.length} of ${flows} in ${seconds} s`);
    const prefix = 'vifwatch web out drop: ';
    for (const packet of logged)
      assert.deepEqual(packet, { prefix, in: `vif${domid}.0`, out: 'eth0', source: web.ipv4 });
  }));
