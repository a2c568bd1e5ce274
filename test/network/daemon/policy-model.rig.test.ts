/** For random policies and random packets, the kernel and an independent model decide the same. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import fc from 'fast-check';
import { test } from 'vitest';
import { outside4, outside6 } from '../../rig/host.ts';
import type { SimHost } from '../../rig/sim/sim-host.ts';
import { namespaceOf } from '../../rig/sim/topology.ts';
import { create, inNetVm, mail, web } from '../../scenario/vms.ts';
import { printFigures } from '../../support/figures.ts';
import { seed } from '../../support/seed.ts';
import { until } from '../../support/until.ts';
import { netbackMac } from './frames.ts';
import { withNetVm } from './net-vm.ts';
import { type Packet, throughNetVm } from './packet-lab.ts';
import { arbitraryRule, type ModelPacket, type ModelRule, passes, tomlOf } from './policy-model.ts';

/** Each policy takes a third of a second; `npm run nightly` asks for 500. */
const policies = Number(process.env['VIFWATCH_POLICIES'] ?? 25);
const packetsEach = 40;

/** An address behind the machine that is the uplink's next hop. */
const farAway = '198.51.100.7';

const cidrs = [
  ...['192.0.2.0/24', outside4, '198.51.100.0/24', '10.0.5.0/24', mail.ipv4, web.ipv4, '0.0.0.0/0'],
  ...['2001:db8:ff::/64', outside6, 'fd00:5::/64', mail.ipv6, '::/0'],
];

type Ends = Pick<ModelPacket, 'source' | 'target' | 'sender' | 'receiver'>;

const between = (sender: typeof web | undefined, receiver: typeof web | undefined): Ends[] => {
  const names = { sender: sender?.name, receiver: receiver?.name };
  const far = sender === undefined || receiver === undefined;
  return [
    { source: sender?.ipv4 ?? outside4, target: receiver?.ipv4 ?? outside4, ...names },
    { source: sender?.ipv6 ?? outside6, target: receiver?.ipv6 ?? outside6, ...names },
    ...(far
      ? [{ source: sender?.ipv4 ?? farAway, target: receiver?.ipv4 ?? farAway, ...names }]
      : []),
  ];
};

const everyEnds = [
  ...[...between(web, undefined), ...between(undefined, web)],
  ...[...between(web, mail), ...between(mail, web)],
];

const arbitraryPacket: fc.Arbitrary<ModelPacket> = fc
  .record({
    ends: fc.constantFrom(...everyEnds),
    transport: fc.constantFrom('udp' as const, 'tcp' as const, 'icmp' as const),
    port: fc.integer({ min: 1, max: 8 }),
    type: fc.constantFrom(8, 13),
  })
  .map(({ ends, transport, port, type }) => {
    const v6 = ends.source.includes(':');
    if (transport !== 'icmp') return { ...ends, protocol: transport, port, type: -1 };
    return v6
      ? { ...ends, protocol: 'icmpv6', port: -1, type: 128 }
      : { ...ends, protocol: 'icmp', port: -1, type };
  });

/** Waits until the firewall leads both VMs to the chains of exactly these files. */
const comeIntoForce = async (host: SimHost, generation: number): Promise<void> => {
  const wanted = ['web', 'mail'].map((name) => `generation ${generation} of ${name}`);
  await until(`the policies are in force: ${wanted}`, async () => {
    const { stdout } = await host.inNetVm(['nft', 'list', 'table', 'inet', 'vifwatch']);
    return ['web', 'mail'].every((name) => {
      const chain = /chain (out-(?:web|mail)-[0-9a-f]+) \{[^}]*?/g;
      const own = [...stdout.matchAll(chain)].map(([, word]) => word ?? '');
      const inUse = own.filter(
        (word) => word.startsWith(`out-${name}-`) && stdout.includes(`jump ${word}`),
      );
      return inUse.some((word) =>
        new RegExp(`chain ${word} \\{[^}]*generation ${generation} of ${name}"`).test(stdout),
      );
    });
  });
};

/** A rule that matches no packet of this test; its comment shows that the policy is in force. */
const marker = (generation: number, name: string): string =>
  `[[rule]]
action = "drop"
dst4 = "203.0.113.1"
comment = "generation ${generation} of ${name}"

`;

test(`${policies} random policies: the kernel and the model agree on each packet`, () =>
  withNetVm(async (host) => {
    const domids = new Map([
      [web.name, await create(host, web)],
      [mail.name, await create(host, mail)],
    ]);
    const placeOf = (vm: string | undefined): string =>
      vm === undefined ? 'world' : namespaceOf(domids.get(vm) ?? 0);
    const { stdout } = await host.inNetVm(['cat', '/sys/class/net/eth0/address']);
    const uplinkMac = stdout.trim();
    const rules = fc.array(arbitraryRule([web.name, mail.name], cidrs), { maxLength: 8 });
    const packetOf = (packet: ModelPacket): Packet => ({
      ...packet,
      place: placeOf(packet.sender),
      sourceMac:
        packet.sender === undefined
          ? '02:00:00:00:00:01'
          : packet.sender === 'web'
            ? web.mac
            : mail.mac,
      targetMac: packet.sender === undefined ? uplinkMac : netbackMac,
      port: Math.max(packet.port, 0),
      type: Math.max(packet.type, 0),
    });
    let generation = 0;
    const compared = { passed: 0, dropped: 0 };
    const agree = async (
      webRules: readonly ModelRule[],
      mailRules: readonly ModelRule[],
      packets: readonly ModelPacket[],
    ): Promise<void> => {
      generation += 1;
      const byName = { web: webRules, mail: mailRules };
      for (const [name, own] of Object.entries(byName)) {
        writeFileSync(
          `${host.daemon.policies}/${name}.toml`,
          marker(generation, name) + tomlOf(own),
        );
      }
      await comeIntoForce(host, generation);
      await inNetVm(host, ['conntrack', '-F']);
      const should = packets.map((packet) => passes(byName, packet));
      const arrived = await throughNetVm(
        host,
        [placeOf(undefined), placeOf('web'), placeOf('mail')],
        packets.map(packetOf),
        should.filter(Boolean).length,
      );
      for (const [index, packet] of packets.entries()) {
        const where = should[index] ? [placeOf(packet.receiver)] : [];
        assert.deepEqual(arrived[index], where, JSON.stringify({ packet, byName }));
        compared[should[index] ? 'passed' : 'dropped'] += 1;
      }
    };
    const packets = fc.array(arbitraryPacket, { minLength: packetsEach, maxLength: packetsEach });
    await fc.assert(fc.asyncProperty(rules, rules, packets, agree), {
      numRuns: policies,
      endOnFailure: true,
      seed,
    });
    assert.equal(compared.passed + compared.dropped, policies * packetsEach);
    assert.ok(compared.passed >= policies && compared.dropped >= policies, 'one verdict is rare');
    printFigures({ policies: generation, ...compared, seed });
  }));
