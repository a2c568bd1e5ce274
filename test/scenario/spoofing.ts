/** A VM that pretends to be another one, in each way a packet allows. */
import assert from 'node:assert/strict';
import { gateway4, gateway6, type Host, outside4, outside6 } from '../rig/host.ts';
import { assertReaches, ping } from './ping.ts';
import { create, destroy, inVm, mail, web } from './vms.ts';
import { placeWitness } from './witness.ts';

const families = {
  ipv4: { keyword: 'ip', prefix: 32, targets: [gateway4, outside4] },
  ipv6: { keyword: 'ip6', prefix: 128, targets: [gateway6, outside6] },
} as const;
type Family = (typeof families)[keyof typeof families];

const everything = [...families.ipv4.targets, ...families.ipv6.targets];

/** Sends from each source to each target; the replies do not matter, for they might go to somebody else. */
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
  for (const target of [gateway4, outside4]) {
    const { sent } = await ping({ host, from: web }, target, 2);
    assert.ok(sent > 0, `${web.name} could not send from ${foreign}`);
  }
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
  assert.ok((await witness.count()) >= 2, 'the witness is blind');
  await witness.remove();
  await destroy(host, web);
};
