/** What policies let through and what they do not, and how they come into force: with real packets. */
import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { gateway4, outside4 } from '../rig/host.ts';
import type { SimHost } from '../rig/sim/sim-host.ts';
import { assertDoesNotReach, assertReaches } from '../scenario/ping.ts';
import { create, mail, web } from '../scenario/vms.ts';
import { slowness } from '../support/slowness.ts';
import { until } from '../support/until.ts';
import { becomesConnected, status, withNetVm } from './net-vm.ts';
import { type Protocol, probe, startEcho } from './probe.ts';

const write = (host: SimHost, file: string, text: string): void =>
  writeFileSync(`${host.daemon.policies}/${file}.toml`, text);

const accept = (...lines: readonly string[]): string =>
  ['[[rule]]', 'action = "accept"', ...lines, ''].join('\n');

const errorOf = async (host: SimHost, name: string) => {
  const { vifs } = await status(host);
  return vifs.find((vif) => vif.name === name)?.error;
};

/** Waits until the VM's own chains are there, with the counters at zero. */
const inForce = (host: SimHost, text: RegExp): Promise<void> =>
  until(`the firewall has ${text}`, async () => {
    const { stdout } = await host.inNetVm(['nft', 'list', 'table', 'inet', 'vifwatch']);
    return text.test(stdout);
  });

test.concurrent('profiles: what each of them names, and no more', () =>
  withNetVm(async (host) => {
    await startEcho(host, 'world', outside4);
    write(host, 'web', 'profile = "isolated"');
    await create(host, web);
    await create(host, mail);
    const pinger = { host, from: web };
    // net-vm itself answers pings; beyond it is nothing.
    await assertReaches(pinger, gateway4);
    await assertDoesNotReach(pinger, outside4, mail.ipv4);
    await assertReaches({ host, from: mail }, outside4);
    write(host, 'web', 'profile = "internet"');
    await assertReaches(pinger, outside4);
    await assertDoesNotReach(pinger, mail.ipv4);
    write(host, 'web', 'profile = "lan-only"');
    await inForce(host, /chain out-web-[^}]*10\.0\.0\.0\/8/);
    await assertDoesNotReach(pinger, outside4);
    write(host, 'web', 'profile = "dns-only"');
    await inForce(host, /chain out-web-[^}]*dport 53/);
    await assertDoesNotReach(pinger, outside4);
    rmSync(`${host.daemon.policies}/web.toml`);
    await assertReaches(pinger, outside4);
  }));

test.concurrent('VM to VM: only what both policies let through', () =>
  withNetVm(async (host) => {
    await create(host, web);
    await create(host, mail);
    await startEcho(host, mail.name, mail.ipv4);
    const reach = async (): Promise<number> =>
      (await probe(host, web.name, 'udp', mail.ipv4, { most: 1 })).count;
    write(host, 'web', accept('dstvm = "mail"', 'proto = "udp"', 'dstports = [5, "7-9"]'));
    await inForce(host, /chain out-web-[^}]*dport/);
    assert.equal(await reach(), 0, "the receiver's side does not let it in");
    write(host, 'mail', accept('direction = "in"', 'srcvm = "web"', 'proto = "udp"'));
    await until('both sides agree', async () => (await reach()) > 0);
    assert.equal((await probe(host, web.name, 'tcp', mail.ipv4, { most: 2 })).count, 0);
    assert.equal((await probe(host, mail.name, 'udp', web.ipv4, { most: 1 })).count, 0);
    rmSync(`${host.daemon.policies}/web.toml`);
    await until('the sender has no leave', async () => (await reach()) === 0);
  }));

test.concurrent('the first rule that matches decides, by port and by network', () =>
  withNetVm(async (host) => {
    await startEcho(host, 'world', outside4);
    write(
      host,
      'web',
      `[[rule]]
action = "drop"
dst4 = "${outside4}"
proto = "tcp"

[[rule]]
action = "accept"
dst4 = "192.0.2.0/24"
`,
    );
    await create(host, web);
    assert.ok((await probe(host, web.name, 'udp', outside4, { most: 1 })).count > 0);
    assert.equal((await probe(host, web.name, 'tcp', outside4, { most: 2 })).count, 0);
  }));

test('a change cuts within 100 ms what is now forbidden, and leaves other flows and counters alone', () =>
  withNetVm(async (host) => {
    await startEcho(host, 'world', outside4);
    await create(host, web);
    await create(host, mail);
    write(host, 'mail', `${accept('proto = "icmp"')}${accept('specialtarget = "uplink"')}`);
    await inForce(host, /chain out-mail-/);
    await assertReaches({ host, from: mail }, outside4);
    const counters = async (): Promise<string> => {
      const { stdout } = await host.inNetVm(['nft', 'list', 'table', 'inet', 'vifwatch']);
      return /chain out-mail-[^}]*}/.exec(stdout)?.[0] ?? '';
    };
    const protocols: readonly Protocol[] = ['udp', 'tcp', 'icmp'];
    const cut = protocols.map((protocol) => probe(host, web.name, protocol, outside4));
    const other = probe(host, mail.name, 'tcp', outside4, { most: 4 });
    await until('all flows are tracked', async () => {
      const { stdout } = await host.inNetVm(['conntrack', '-L', '-s', web.ipv4]);
      const others = await host.inNetVm(['conntrack', '-L', '-s', mail.ipv4, '-p', 'tcp']);
      return (
        protocols.every((protocol) => stdout.includes(`${protocol} `)) &&
        others.stdout.includes('ESTABLISHED')
      );
    });
    const before = await counters();
    expect(before).toMatch(/counter packets [1-9]/);
    const promisedMs = 100 * (await slowness());
    const changedAt = Date.now();
    write(host, 'web', 'profile = "isolated"');
    for (const [index, flow] of (await Promise.all(cut)).entries()) {
      const { count, lastAt } = flow;
      assert.ok(count > 10, `${protocols[index]}: ${count} answers`);
      assert.ok(
        lastAt - changedAt < promisedMs,
        `${protocols[index]}: cut after ${lastAt - changedAt} ms of ${promisedMs}`,
      );
    }
    const { count, lastAt } = await other;
    assert.ok(count > 100 && lastAt > changedAt + 1000, 'the other VM lost its flow');
    assert.equal(await counters(), before);
  }));

test('what a new policy still allows goes on', () =>
  withNetVm(async (host) => {
    await startEcho(host, 'world', outside4);
    await create(host, web);
    const spared = probe(host, web.name, 'tcp', outside4, { most: 4 });
    const cut = probe(host, web.name, 'udp', outside4, { most: 4 });
    await until('both flows are tracked', async () => {
      const { stdout } = await host.inNetVm(['conntrack', '-L', '-s', web.ipv4]);
      return stdout.includes('udp ') && stdout.includes('tcp ');
    });
    const promisedMs = 100 * (await slowness());
    const changedAt = Date.now();
    write(host, 'web', accept('proto = "tcp"', 'dstports = "7"'));
    assert.ok((await cut).lastAt - changedAt < promisedMs);
    assert.ok((await spared).lastAt > changedAt + 1000);
  }));

test.concurrent('one bad file closes its VM and no other, with the place in status', () =>
  withNetVm(async (host) => {
    await create(host, web);
    await create(host, mail);
    write(host, 'web', 'profile = "internet"\n[[rule]]\naction = "acept"\n');
    await until('web is closed', async () => (await errorOf(host, 'web')) !== null);
    expect(await errorOf(host, 'web')).toMatchObject({
      code: 'POLICY_INVALID',
      text: expect.stringMatching(/rules\.d\/web\.toml:3:1: rule\.action/),
    });
    await assertDoesNotReach({ host, from: web }, outside4);
    await assertReaches({ host, from: mail }, outside4);
    write(host, 'web', 'profile = "internet"\n');
    await assertReaches({ host, from: web }, outside4);
    assert.equal(await errorOf(host, 'web'), null);
  }));

test.concurrent('a policy by address, and a VM without a name while there are policies by name', () =>
  withNetVm(async (host) => {
    write(host, '10.0.5.7', 'profile = "isolated"');
    await create(host, web);
    await assertDoesNotReach({ host, from: web }, outside4);
    await host.dom0.remove('/ipc/domain-map/web');
    await assertDoesNotReach({ host, from: web }, outside4);
    rmSync(`${host.daemon.policies}/10.0.5.7.toml`);
    await assertReaches({ host, from: web }, outside4);
    write(host, 'mail', 'profile = "internet"');
    await until('web is closed', async () => {
      const { vifs } = await status(host);
      return vifs[0]?.error?.code === 'POLICY_UNNAMED';
    });
    await assertDoesNotReach({ host, from: web }, outside4);
  }));

test.concurrent('SIGHUP reads files that no event told of; a rule ends when it expires', () =>
  withNetVm(async (host) => {
    const domid = await create(host, web);
    await becomesConnected(host, domid);
    rmSync(host.daemon.policies, { recursive: true });
    mkdirSync(host.daemon.policies);
    const expire = Math.ceil(Date.now() / 1000) + 3;
    write(host, 'web', accept(`expire = ${expire}`));
    await host.daemon.signal('SIGHUP');
    await inForce(host, /chain out-web-/);
    await assertReaches({ host, from: web }, outside4);
    await until('the rule has expired', async () => {
      const { stdout } = await host.inNetVm(['nft', 'list', 'table', 'inet', 'vifwatch']);
      return /chain out-web-\w+ \{\s*\}/.test(stdout);
    });
    assert.ok(Date.now() / 1000 >= expire);
    await assertDoesNotReach({ host, from: web }, outside4);
  }));

test.concurrent('a restart keeps policies as they are: no chain is made anew', () =>
  withNetVm(async (host) => {
    write(host, 'web', accept('proto = "icmp"'));
    await create(host, web);
    await assertReaches({ host, from: web }, outside4);
    const chain = async (): Promise<string> => {
      const { stdout } = await host.inNetVm(['nft', '-a', 'list', 'table', 'inet', 'vifwatch']);
      return /chain out-web-[^}]*}/.exec(stdout)?.[0] ?? '';
    };
    const before = await chain();
    expect(before).toMatch(/counter packets [1-9]/);
    await host.signalDaemon('SIGKILL');
    await host.startDaemon();
    assert.equal(await chain(), before);
  }));
