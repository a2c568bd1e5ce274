/** A changed policy cuts the flows that it forbids at once, and no other flows. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { outside4 } from '../../rig/host.ts';
import type { SimHost } from '../../rig/sim/sim-host.ts';
import { namespaceOf } from '../../rig/sim/topology.ts';
import { assertReaches } from '../../scenario/ping.ts';
import { create, inNetVm, mail, web } from '../../scenario/vms.ts';
import { openBound } from '../../support/slowness.ts';
import { until } from '../../support/until.ts';
import { withNetVm } from './net-vm.ts';
import { type Probe, type Protocol, startEcho, startProbe } from './probe.ts';

const promisedMs = 100;

/** Changes web's policy and asserts that all of the flows are cut soon after. */
const assertCuts = async (
  host: SimHost,
  policy: string,
  flows: Readonly<Partial<Record<Protocol, Probe>>>,
): Promise<void> => {
  const bound = await openBound(promisedMs);
  await Promise.all(Object.values(flows).map(({ goesOn }) => goesOn()));
  const changedAt = Date.now();
  writeFileSync(`${host.daemon.policies}/web.toml`, policy);
  for (const [protocol, { isCut }] of Object.entries(flows)) {
    const took = (await isCut()) - changedAt;
    console.info(`${protocol} cut after ${took.toFixed(0)} ms`);
    await bound.assertKept(took, `${protocol} is cut`);
  }
};

test('a policy change cuts forbidden flows within 100 ms and leaves other flows and counters alone', () =>
  withNetVm(async (host) => {
    await startEcho(host, 'world', outside4);
    const webAt = namespaceOf(await create(host, web));
    const mailAt = namespaceOf(await create(host, mail));
    const rule = (line: string): string => `[[rule]]\naction = "accept"\n${line}\n`;
    const rules = rule('proto = "icmp"') + rule('specialtarget = "uplink"');
    writeFileSync(`${host.daemon.policies}/mail.toml`, rules);
    const chain = async (): Promise<string> => {
      const { stdout } = await host.inNetVm(['nft', 'list', 'table', 'inet', 'vifwatch']);
      return /chain out-mail-[^}]*}/.exec(stdout)?.[0] ?? '';
    };
    await until("mail's policy is in force", async () => (await chain()) !== '');
    await assertReaches({ host, from: mail }, outside4);
    const [udp, tcp, icmp] = [
      await startProbe(host, webAt, 'udp', outside4),
      await startProbe(host, webAt, 'tcp', outside4),
      await startProbe(host, webAt, 'icmp', outside4),
    ];
    const other = await startProbe(host, mailAt, 'tcp', outside4);
    const before = await chain();
    expect(before).toMatch(/counter packets [1-9]/);
    await assertCuts(host, 'profile = "isolated"', { udp, tcp, icmp });
    await other.goesOn();
    assert.equal(await chain(), before);
  }));

test('a flow that the new policy still allows continues', () =>
  withNetVm(async (host) => {
    await startEcho(host, 'world', outside4);
    const at = namespaceOf(await create(host, web));
    const spared = await startProbe(host, at, 'tcp', outside4);
    const udp = await startProbe(host, at, 'udp', outside4);
    const tracked = async (): Promise<string | undefined> => {
      const argv = ['conntrack', '-L', '-o', 'id', '-p', 'tcp', '-s', web.ipv4];
      return /id=\d+/.exec(await inNetVm(host, argv))?.[0];
    };
    const before = await tracked();
    assert.ok(before !== undefined);
    const policy = '[[rule]]\naction = "accept"\nproto = "tcp"\ndstports = "7"\n';
    await assertCuts(host, policy, { udp });
    await spared.goesOn();
    // The same id shows that the flow was not cut: the kernel would track a cut flow anew.
    assert.equal(await tracked(), before);
  }));
