/** The conntrack program fails or hangs. The daemon goes on with everything that needs no conntrack. */
import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { gateway4, outside4 } from '../../rig/host.ts';
import type { SimHost } from '../../rig/sim/sim-host.ts';
import { namespaceOf } from '../../rig/sim/topology.ts';
import { assertReaches, ping } from '../../scenario/ping.ts';
import { create, inNetVm, mail, web } from '../../scenario/vms.ts';
import { until } from '../../support/until.ts';
import { status, withNetVm } from './net-vm.ts';
import { startEcho, startProbe } from './probe.ts';
import { hang, withStandIn } from './stand-in.ts';

const isolate = (host: SimHost, vm: string): void =>
  writeFileSync(`${host.daemon.policies}/${vm}.toml`, 'profile = "isolated"\n');

const isIsolated = async (host: SimHost, from: typeof web): Promise<boolean> =>
  (await ping({ host, from }, outside4, 1)).received === 0;

const errorOf = async (host: SimHost, vm: string): Promise<string | undefined> =>
  (await status(host)).vifs.find(({ name }) => name === vm)?.error?.code;

test.each(['sleep 2; exit 1', 'exit 0'])(
  'while conntrack runs "%s", policies come into force, damage is repaired, and status names the vif',
  (script) =>
    withStandIn('conntrack', script, async (host, flag) => {
      await startEcho(host, 'world', outside4);
      const flow = await startProbe(host, namespaceOf(await create(host, web)), 'tcp', outside4);
      await create(host, mail);
      await assertReaches({ host, from: mail }, outside4);
      flag.set();
      isolate(host, 'web');
      await until('status names the vif', async () => (await errorOf(host, 'web')) !== undefined);
      expect(await errorOf(host, 'web')).toBe('FLOW_CUT_FAILED');
      expect(await errorOf(host, 'mail')).toBe(undefined);
      isolate(host, 'mail');
      await until("mail's policy is in force", () => isIsolated(host, mail));
      await inNetVm(host, ['ip', 'route', 'del', mail.ipv4]);
      await until('the route is repaired', async () =>
        (await inNetVm(host, ['ip', 'route', 'get', mail.ipv4])).includes('dev vif'),
      );
      await assertReaches({ host, from: mail }, gateway4);
      flag.clear();
      await flow.isCut();
      await until('the vif is healthy', async () => (await errorOf(host, 'web')) === undefined);
    }),
);

test("if conntrack cannot list the flows, all flows of the vif are cut, and no other vif's", () =>
  withStandIn('conntrack', 'case "$*" in *-L*) exit 1;; esac', async (host, flag) => {
    await startEcho(host, 'world', outside4);
    const webAt = namespaceOf(await create(host, web));
    const mailAt = namespaceOf(await create(host, mail));
    const [flow, other] = [
      await startProbe(host, webAt, 'tcp', outside4),
      await startProbe(host, mailAt, 'tcp', outside4),
    ];
    flag.set();
    isolate(host, 'web');
    await flow.isCut();
    await other.goesOn();
    await until('the log tells it', () => host.daemon.log().includes('cut all its flows'));
    flag.clear();
    await until('the vif is healthy', async () => (await errorOf(host, 'web')) === undefined);
  }));

test('a cut that is due outlives a mistake in the policy file', () =>
  withStandIn('conntrack', 'exit 127', async (host, flag) => {
    await startEcho(host, 'world', outside4);
    const flow = await startProbe(host, namespaceOf(await create(host, web)), 'udp', outside4);
    flag.set();
    isolate(host, 'web');
    await until('the cut fails', async () => (await errorOf(host, 'web')) === 'FLOW_CUT_FAILED');
    writeFileSync(`${host.daemon.policies}/web.toml`, 'profile = \n');
    await until(
      'the vif is refused',
      async () => (await errorOf(host, 'web')) === 'POLICY_INVALID',
    );
    isolate(host, 'web');
    await until('the vif is served again', async () => {
      const [vif] = (await status(host)).vifs;
      return vif?.error?.code !== 'POLICY_INVALID' && vif?.phase !== 'configuring';
    });
    flag.clear();
    await flow.isCut();
    await until('the vif is healthy', async () => (await errorOf(host, 'web')) === undefined);
  }));

test('SIGTERM waits 5 s for a conntrack that hangs, and not until its deadline', () =>
  withStandIn('conntrack', `: >$flag.hangs; ${hang}`, async (host, flag) => {
    await create(host, web);
    flag.set();
    isolate(host, 'web');
    await until('conntrack hangs', () => existsSync(`${host.sim.directory}/bin/flag.hangs`));
    const began = performance.now();
    await host.signalDaemon('SIGTERM');
    expect(performance.now() - began).toBeLessThan(8_000);
  }));

test("a flow of a protocol without a name does not keep another VM's flow alive", () =>
  withNetVm(async (host) => {
    await startEcho(host, 'world', outside4);
    await create(host, web);
    const other = await startProbe(host, namespaceOf(await create(host, mail)), 'tcp', outside4);
    const send = `import socket;socket.socket(2,3,253).sendto(b'x'*32,('${outside4}',0))`;
    assert.equal((await host.inVm(web.name, ['python3', '-c', send])).status, 0);
    await until('the packet is tracked', async () =>
      /^\S+ +253 /m.test(await inNetVm(host, ['conntrack', '-L', '-s', web.ipv4])),
    );
    isolate(host, 'web');
    isolate(host, 'mail');
    await other.isCut();
    await until(
      "the VM's flow is cut",
      async () => !/ 253 /.test(await inNetVm(host, ['conntrack', '-L', '-s', web.ipv4])),
    );
  }));
