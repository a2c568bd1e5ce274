/**
 * A VM has a flow of IP protocol 253, for which conntrack has no name. The daemon must still cut the flows of
 * every VM.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { test } from 'vitest';
import { withNetVm } from '../network/daemon/net-vm.ts';
import { type Probe, startEcho, startProbe } from '../network/daemon/probe.ts';
import { outside4 } from '../rig/host.ts';
import type { SimHost } from '../rig/sim/sim-host.ts';
import { namespaceOf } from '../rig/sim/topology.ts';
import { create, mail, web } from '../scenario/vms.ts';
import { until } from '../support/until.ts';
import { isCutSoon } from './in-namespace.ts';
import { fault } from './known.ts';

const program = `import socket;socket.socket(2,3,253).sendto(b'x'*32,('${outside4}',0))`;

const sendUnnamed = async (host: SimHost): Promise<void> => {
  assert.equal((await host.inVm(web.name, ['python3', '-c', program])).status, 0);
  await until('the packet is tracked', async () =>
    /unknown +253/.test((await host.inNetVm(['conntrack', '-L', '-s', web.ipv4])).stdout),
  );
};

const isolate = (host: SimHost, vm: string): void =>
  writeFileSync(`${host.daemon.policies}/${vm}.toml`, 'profile = "isolated"\n');

const tcpOf = (host: SimHost, domid: number): Promise<Probe> =>
  startProbe(host, namespaceOf(domid), 'tcp', outside4);

test('control: the TCP flow of a VM that has no other flow is cut', () =>
  withNetVm(async (host) => {
    await startEcho(host, 'world', outside4);
    const domid = await create(host, web);
    const flow = await tcpOf(host, domid);
    isolate(host, web.name);
    assert.ok(await isCutSoon(flow));
  }));

test.fails(fault('f1', 'the TCP flow of a VM that has sent protocol 253 is cut'), () =>
  withNetVm(async (host) => {
    await startEcho(host, 'world', outside4);
    const domid = await create(host, web);
    await sendUnnamed(host);
    const flow = await tcpOf(host, domid);
    isolate(host, web.name);
    assert.ok(await isCutSoon(flow));
  }),
);

test.fails(fault('f1b', "another VM's TCP flow is cut"), () =>
  withNetVm(async (host) => {
    await startEcho(host, 'world', outside4);
    const domid = await create(host, web);
    const other = await create(host, mail);
    await sendUnnamed(host);
    await tcpOf(host, domid);
    const flow = await tcpOf(host, other);
    isolate(host, web.name);
    await until('the policy is read', () => host.daemon.log().includes('"policies":["web"]'));
    isolate(host, mail.name);
    assert.ok(await isCutSoon(flow));
  }),
);
