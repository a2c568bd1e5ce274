/** An isolated VM sends ICMP errors that quote the flows of others. No witness may see any of them. */
import { writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { fragmentationNeeded, packetTooBig, udp4, udp6 } from '../network/daemon/frames.ts';
import { macOf } from '../network/daemon/net-vm.ts';
import {
  becomesSilent,
  growth,
  type SpoofingRig,
  spoofer,
  victim,
  withSpoofingRig,
} from '../network/daemon/spoofing-rig.ts';
import { outside4, outside6 } from '../rig/host.ts';
import { sendFrom } from '../rig/sim/send.ts';
import { until } from '../support/until.ts';
import { fault } from './known.ts';

const port = 7777;

/** Sends a frame from the spoofing VM; resolves with the packets that the witnesses saw meanwhile. */
const sendSeen = async (rig: SpoofingRig, frame: string) => {
  const before = await rig.seen();
  await sendFrom(rig.host.sim, rig.spoofer.namespace, [frame]);
  await delay(300);
  const { netVmArp: _, ...seen } = growth(before, await rig.seen());
  return seen;
};

/** Isolates the spoofing VM, opens a flow of each family from the victim to the outside, and runs `body`. */
const withFlows = (body: (rig: SpoofingRig) => Promise<void>): Promise<void> =>
  withSpoofingRig(async (rig) => {
    const { host } = rig;
    const source = macOf(Number(rig.victim.namespace.slice('dom'.length)));
    writeFileSync(`${host.daemon.policies}/spoofer.toml`, 'profile = "isolated"\n');
    const plain = udp4({ source: rig.spoofer.mac, from: spoofer.ipv4, to: outside4 }, 5353);
    await until(
      'the spoofing VM is isolated',
      async () => !('world' in (await sendSeen(rig, plain))),
    );
    await sendFrom(host.sim, rig.victim.namespace, [
      udp4({ source, from: victim.ipv4, to: outside4 }, port),
      udp6({ source, from: victim.ipv6, to: outside6 }, port),
    ]);
    await becomesSilent(rig);
    await body(rig);
  });

test('control: an error about an unknown flow is dropped', () =>
  withFlows(async (rig) => {
    const packet = { source: rig.spoofer.mac, from: spoofer.ipv4, to: victim.ipv4 };
    const error = fragmentationNeeded(packet, 600, { to: outside4, port: 9999 });
    expect(await sendSeen(rig, error)).toEqual({});
  }));

test.fails.each([
  ['the victim', victim.ipv4, outside4],
  ['the outside', outside4, victim.ipv4],
])(fault('f2', 'an IPv4 error to %s is dropped'), (_name, to, about) =>
  withFlows(async (rig) => {
    const packet = { source: rig.spoofer.mac, from: spoofer.ipv4, to };
    const error = fragmentationNeeded(packet, 600, { to: about, port });
    expect(await sendSeen(rig, error)).toEqual({});
  }),
);

test.fails.each([
  ['the victim', victim.ipv6, outside6],
  ['the outside', outside6, victim.ipv6],
])(fault('f2', 'an IPv6 error to %s is dropped'), (_name, to, about) =>
  withFlows(async (rig) => {
    const packet = { source: rig.spoofer.mac, from: spoofer.ipv6, to };
    const error = packetTooBig(packet, 1300, { to: about, port });
    expect(await sendSeen(rig, error)).toEqual({});
  }),
);
