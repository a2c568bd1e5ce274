/** ICMP errors that quote live flows: only an end of the flow, or a router outside, may send them. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { test } from 'vitest';
import { outside4, outside6 } from '../../rig/host.ts';
import { sendFrom } from '../../rig/sim/send.ts';
import { until } from '../../support/until.ts';
import { fragmentationNeeded, packetTooBig, udp4, udp6 } from './frames.ts';
import { macOf } from './net-vm.ts';
import {
  assertPassNothing,
  becomesSilent,
  growth,
  type SpoofingRig,
  spoofer,
  victim,
  withSpoofingRig,
  world,
} from './spoofing-rig.ts';

const port = 7777;
const worldMac = '00:16:3e:00:77:77';
const netVm = { ipv4: '192.0.2.2', ipv6: '2001:db8:ff::2' };

type Host = { readonly ipv4: string; readonly ipv6: string };

const outside: Host = { ipv4: outside4, ipv6: outside6 };

/** Opens a flow of each family. */
const open = async (rig: SpoofingRig, from: Host, to: Host): Promise<void> => {
  if (from === netVm) {
    const program = `import socket
for family, to in (2, '${to.ipv4}'), (10, '${to.ipv6}'):
    s = socket.socket(family, 2); s.bind(('', ${port})); s.sendto(b'x', (to, ${port}))`;
    assert.equal((await rig.host.inNetVm(['python3', '-c', program])).status, 0);
    return;
  }
  const isVictim = from === victim;
  const { namespace } = isVictim ? rig.victim : rig.spoofer;
  const source = macOf(Number(namespace.slice('dom'.length)));
  const frames = [
    udp4({ source, from: from.ipv4, to: to.ipv4 }, port),
    udp6({ source, from: from.ipv6, to: to.ipv6 }, port),
  ];
  const witness = to === outside ? 'world' : 'spoofer';
  for (const frame of frames) {
    await until('a packet arrives', async () => {
      const before = await rig.seen();
      await sendFrom(rig.host.sim, namespace, [frame]);
      return growth(before, await rig.seen())[witness] !== undefined;
    });
  }
  await becomesSilent(rig);
};

/** Errors of each family to one end of a flow; they quote a packet from that end to the other one. */
const errorsTo = (
  link: { readonly source: string; readonly target?: string },
  from: Host,
  to: Host,
  other: Host,
): string[] => [
  fragmentationNeeded({ ...link, from: from.ipv4, to: to.ipv4 }, 600, { to: other.ipv4, port }),
  packetTooBig({ ...link, from: from.ipv6, to: to.ipv6 }, 1300, { to: other.ipv6, port }),
];

const acceptAll = '[[rule]]\naction = "accept"\n[[rule]]\naction = "accept"\ndirection = "in"\n';

test.each([
  ['a VM', 'another VM and the outside', victim, outside],
  ['the outside', 'another VM and the outside', outside, victim],
  ['net-vm', 'net-vm and the outside', netVm, outside],
] as const)('an isolated VM sends no error to %s about a flow of %s', (_to, _flow, to, other) =>
  withSpoofingRig(async (rig) => {
    writeFileSync(`${rig.host.daemon.policies}/spoofer.toml`, 'profile = "isolated"\n');
    await open(rig, to === netVm ? netVm : victim, outside);
    await assertPassNothing(rig, rig.spoofer.namespace, {
      foreign_flow: errorsTo({ source: rig.spoofer.mac }, spoofer, to, other),
    });
  }),
);

test('an error from outside about a flow between two VMs does not pass', () =>
  withSpoofingRig(async (rig) => {
    for (const vm of ['victim', 'spoofer'])
      writeFileSync(`${rig.host.daemon.policies}/${vm}.toml`, acceptAll);
    await open(rig, victim, spoofer);
    const link = { source: worldMac, target: rig.uplinkMac };
    await assertPassNothing(rig, world, {
      foreign_flow: [...errorsTo(link, outside, victim, spoofer)],
    });
  }));

test('an error from an end of the flow, or from a router outside, passes', () =>
  withSpoofingRig(async (rig) => {
    await open(rig, spoofer, outside);
    const link = { source: worldMac, target: rig.uplinkMac };
    const router = { ipv4: '198.51.100.77', ipv6: '2001:db8:77::1' };
    const errors = {
      world: [
        rig.spoofer.namespace,
        errorsTo({ source: rig.spoofer.mac }, spoofer, outside, spoofer),
      ],
      spoofer: [world, errorsTo(link, router, spoofer, outside)],
    } as const;
    for (const [witness, [from, frames]] of Object.entries(errors)) {
      const before = await rig.seen();
      await sendFrom(rig.host.sim, from, frames);
      await until(
        `${witness} gets the errors`,
        async () => growth(before, await rig.seen())[witness] === frames.length,
      );
    }
  }));
