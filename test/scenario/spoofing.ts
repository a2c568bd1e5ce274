/** A VM sends packets with foreign source addresses of every kind, and none gets past the rules. */
import assert from 'node:assert/strict';
import { type Drops, parseDrops } from '../../src/network/status/drops.ts';
import { gateway4, gateway6, type Host, outside4, outside6 } from '../rig/host.ts';
import { until } from '../support/until.ts';
import { assertReaches, ping } from './ping.ts';
import { spoofedNeighbours, spoofedPackets } from './spoofed-frames.ts';
import { create, destroy, inNetVm, inVm, mail, web } from './vms.ts';
import { placeWitness } from './witness.ts';

const families = {
  ipv4: { keyword: 'ip', prefix: 32, targets: [gateway4, outside4] },
  ipv6: { keyword: 'ip6', prefix: 128, targets: [gateway6, outside6] },
} as const;
type Family = (typeof families)[keyof typeof families];

const everything = [...families.ipv4.targets, ...families.ipv6.targets];

/**
 * Sends from each source to each target and counts the packets that pass. Replies are ignored: they go
 * elsewhere.
 */
const assertPassNothing = async (
  host: Host,
  { keyword, prefix, targets }: Family,
  sources: readonly string[],
): Promise<void> => {
  const address = (verb: string, source: string) =>
    inVm(host, web, ['ip', 'addr', verb, `${source}/${prefix}`, 'dev', 'eth0']);
  const witness = await placeWitness(host, `${keyword} saddr { ${sources.join(', ')} }`);
  for (const source of sources) await address('add', source);
  const pings = sources.flatMap((source) => targets.map((target) => ({ source, target })));
  await Promise.all(
    pings.map(async ({ source, target }) => {
      const { sent } = await ping({ host, from: web }, target, 2, source);
      assert.equal(sent, 2, `${web.name} could not send from ${source}`);
    }),
  );
  assert.equal(await witness.count(), 0, `packets from ${sources.join(' or ')} got through`);
  for (const source of sources) await address('del', source);
  await witness.remove();
};

export const foreignSourceAddressesPassNothing = async (host: Host): Promise<void> => {
  await create(host, web);
  await create(host, mail);
  await assertReaches({ host, from: web }, ...everything);
  await assertPassNothing(host, families.ipv4, ['10.0.5.66', mail.ipv4, '192.0.2.66']);
  await assertPassNothing(host, families.ipv6, ['fd00:5::66', mail.ipv6]);
  await assertReaches({ host, from: web }, ...everything);
  await destroy(host, web);
  await destroy(host, mail);
};

export const foreignMacPassesNothing = async (host: Host): Promise<void> => {
  const foreign = '00:16:3e:05:00:66';
  await create(host, web);
  await assertReaches({ host, from: web }, gateway4, outside4);
  const witness = await placeWitness(host, `ether saddr ${foreign}`);
  await inVm(host, web, ['ip', 'link', 'set', 'eth0', 'address', foreign]);
  const pings = [gateway4, outside4].map((target) => ping({ host, from: web }, target, 2));
  for (const { sent } of await Promise.all(pings))
    assert.ok(sent > 0, `${web.name} could not send from ${foreign}`);
  assert.equal(await witness.count(), 0, `packets from ${foreign} got through`);
  await witness.remove();
  await inVm(host, web, ['ip', 'link', 'set', 'eth0', 'address', web.mac]);
  await assertReaches({ host, from: web }, gateway4, outside4);
  await destroy(host, web);
};

export const witnessSeesWhatPasses = async (host: Host): Promise<void> => {
  await create(host, web);
  await assertReaches({ host, from: web }, outside4);
  const witness = await placeWitness(host, `ip saddr ${web.ipv4} ether saddr ${web.mac}`);
  await assertReaches({ host, from: web }, outside4, gateway4);
  assert.ok((await witness.count()) >= 2, 'the witness counts no packets');
  await witness.remove();
  await destroy(host, web);
};

const nft = async (host: Host, command: string): Promise<string> =>
  await inNetVm(host, ['nft', ...command.split(' ')]);

/** Counts all packets that pass vifwatch's rules: from the vif `from`, or out to `to` or the world. */
const watchPassage = async (host: Host, from: string, to: string) => {
  const chain = (hook: string, rule: string): string =>
    `chain ${hook} { type filter hook ${hook} priority 1000; ${rule} counter name passed; }`;
  const seen = `iifname "${from}"`;
  const silent = 'icmpv6 type { 133, 134, 135, 136, 143 } accept';
  const out = `oifname { "${to}", "eth0" }`;
  const families = { inet: 'inet', arp: 'arp' } as const;
  const rules = {
    inet: [chain('input', seen), chain('forward', seen), chain('postrouting', `${silent}; ${out}`)],
    arp: [chain('input', seen)],
  };
  for (const family of Object.values(families)) {
    await inNetVm(host, [
      'nft',
      `table ${family} passage { counter passed { }; ${rules[family].join('; ')}; }`,
    ]);
  }
  const count = async (family: 'inet' | 'arp'): Promise<number> =>
    Number(/packets (\d+)/.exec(await nft(host, `list counter ${family} passage passed`))?.[1]);
  return {
    count: async (): Promise<number> => (await count('inet')) + (await count('arp')),
    remove: async (): Promise<void> => {
      for (const family of Object.values(families))
        await nft(host, `delete table ${family} passage`);
    },
  };
};

const dropsIn = async (host: Host): Promise<Drops> =>
  parseDrops(await nft(host, '-j list counters'));

/** Waits until the guest has configured its link, so that its kernel sends no more start-up packets. */
const isConfigured = async (host: Host): Promise<void> => {
  for (const address of [web.ipv4, web.ipv6]) {
    const argv = ['ip', 'route', 'get', address];
    const isOwn = async (): Promise<boolean> =>
      (await host.inVm(web.name, argv)).stdout.includes('local');
    await until(`${web.name} has the address ${address}`, isOwn);
  }
};

/** Batches save starts of the sender, which take longer than its frames, and limit the true rig's load. */
const inBatches = (frames: readonly string[]): readonly (readonly string[])[] => {
  const size = 20;
  const count = Math.ceil(frames.length / size);
  return Array.from({ length: count }, (_, index) => frames.slice(index * size).slice(0, size));
};

/** The right drop counter counts each kind of spoofed frame, and no frame passes. */
export const noSpoofedFramePasses = async (host: Host): Promise<void> => {
  const [domid, other] = [await create(host, web), await create(host, mail)];
  await isConfigured(host);
  const passage = await watchPassage(host, `vif${domid}.0`, `vif${other}.0`);
  const parties = { mac: web.mac, self: web, others: [mail] };
  const spoofed = Object.entries({ ...spoofedPackets(parties), ...spoofedNeighbours(parties) });
  const before = await dropsIn(host);
  const expected = Object.fromEntries(
    spoofed.map(([counter, frames]) => [counter, (before[counter] ?? 0) + frames.length]),
  );
  for (const frames of inBatches(spoofed.flatMap(([, frames]) => frames)))
    await host.sendFrames(web.name, frames);
  let after = before;
  const areCounted = async (): Promise<boolean> => {
    after = await dropsIn(host);
    return spoofed.every(([counter]) => (after[counter] ?? 0) >= (expected[counter] ?? 0));
  };
  try {
    await until('all spoofed frames are counted', areCounted);
  } finally {
    assert.deepEqual(after, { ...before, ...expected });
  }
  assert.equal(await passage.count(), 0, 'spoofed frames passed');
  await assertReaches({ host, from: web }, ...everything);
  assert.ok((await passage.count()) > 0, 'the watch counts no packets at all');
  await passage.remove();
  await destroy(host, web);
  await destroy(host, mail);
};
