/** Real packets show which traffic policies let through, and when policies come into force. */
import assert from 'node:assert/strict';
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { gateway4, outside4 } from '../../rig/host.ts';
import type { SimHost } from '../../rig/sim/sim-host.ts';
import { namespaceOf } from '../../rig/sim/topology.ts';
import { assertDoesNotReach, assertReaches, ping } from '../../scenario/ping.ts';
import { create, mail, web } from '../../scenario/vms.ts';
import { until, untilFound } from '../../support/until.ts';
import { status, withNetVm } from './net-vm.ts';
import { isAnswered, type Protocol, startEcho } from './probe.ts';

const write = (host: SimHost, file: string, text: string): void =>
  writeFileSync(`${host.daemon.policies}/${file}.toml`, text);

const accept = (...lines: readonly string[]): string =>
  ['[[rule]]', 'action = "accept"', ...lines, ''].join('\n');

const errorOf = async (host: SimHost, name: string) => {
  const { vifs } = await status(host);
  return vifs.find((vif) => vif.name === name)?.error;
};

/** Waits until the firewall's listing has this text. */
const inForce = (host: SimHost, text: RegExp): Promise<void> =>
  until(`the firewall has ${text}`, async () => {
    const { stdout } = await host.inNetVm(['nft', 'list', 'table', 'inet', 'vifwatch']);
    return text.test(stdout);
  });

test.concurrent('each profile lets through what it names, and no more', () =>
  withNetVm(async (host) => {
    write(host, 'web', 'profile = "isolated"');
    await create(host, web);
    await create(host, mail);
    const pinger = { host, from: web };
    // net-vm itself answers pings; nothing beyond it is reachable.
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

test.concurrent('between VMs, only traffic that both policies accept passes', () =>
  withNetVm(async (host) => {
    const [webAt, mailAt] = [
      namespaceOf(await create(host, web)),
      namespaceOf(await create(host, mail)),
    ];
    await startEcho(host, mailAt, mail.ipv4);
    await startEcho(host, webAt, web.ipv4);
    const reaches = (protocol: Protocol = 'udp'): Promise<boolean> =>
      isAnswered(host, webAt, protocol, mail.ipv4);
    write(host, 'web', accept('dstvm = "mail"', 'proto = "udp"', 'dstports = [5, "7-9"]'));
    await inForce(host, /chain out-web-[^}]*dport/);
    assert.equal(await reaches(), false, "the receiver's policy does not accept it");
    write(host, 'mail', accept('direction = "in"', 'srcvm = "web"'));
    await until('both policies accept the flow', reaches);
    const back = isAnswered(host, mailAt, 'udp', web.ipv4);
    assert.deepEqual(await Promise.all([reaches('tcp'), back]), [false, false]);
    rmSync(`${host.daemon.policies}/web.toml`);
    await until("the sender's policy does not accept the flow", async () => !(await reaches()));
  }));

test.concurrent('the first matching rule decides, by port and by network', () =>
  withNetVm(async (host) => {
    await startEcho(host, 'world', outside4);
    const second = accept('dst4 = "192.0.2.0/24"');
    const first = `[[rule]]\naction = "drop"\ndst4 = "${outside4}"\nproto = "tcp"\ndstports = [7]\n`;
    write(host, 'web', second);
    const at = namespaceOf(await create(host, web));
    assert.equal(await isAnswered(host, at, 'tcp', outside4), true);
    write(host, 'web', `${first}\n${second}`);
    await inForce(host, /chain out-web-[^}]*tcp dport 7/);
    const protocols = ['udp', 'tcp'] as const;
    const answered = protocols.map((protocol) => isAnswered(host, at, protocol, outside4));
    assert.deepEqual(await Promise.all(answered), [true, false]);
  }));

test.concurrent('a bad policy file closes its VM and no other, and status shows the place of the error', () =>
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

test.concurrent('a policy by address applies, and a VM without a name is closed while policies by name exist', () =>
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

test.concurrent('SIGHUP makes the daemon read a file whose change causes no event', () =>
  withNetVm(async (host) => {
    const elsewhere = `${host.sim.directory}/elsewhere`;
    const file = `${elsewhere}/web.toml`;
    mkdirSync(elsewhere);
    writeFileSync(file, accept('proto = "icmp"'));
    symlinkSync(file, `${host.daemon.policies}/web.toml`);
    await create(host, web);
    await inForce(host, /chain out-web-[^}]*icmp/);
    await assertReaches({ host, from: web }, outside4);
    writeFileSync(file, accept('proto = "tcp"'));
    await host.daemon.signal('SIGHUP');
    await inForce(host, /chain out-web-[^}]*tcp/);
    await assertDoesNotReach({ host, from: web }, outside4);
  }));

test.concurrent('a rule ends when it expires', () =>
  withNetVm(async (host) => {
    write(host, 'web', 'profile = "isolated"');
    await create(host, web);
    await assertDoesNotReach({ host, from: web }, outside4);
    let seconds = 2;
    const expire = await untilFound('a ping passes before the rule ends', async () => {
      seconds *= 2;
      const end = Math.ceil(Date.now() / 1000) + seconds;
      // The second rule tells this policy's chain from earlier chains, which may still exist for a moment.
      const other = accept('proto = "udp"', `dstports = [${seconds}]`);
      write(host, 'web', `${accept(`expire = ${end}`)}${other}`);
      while (Date.now() / 1000 < end) {
        if ((await ping({ host, from: web }, outside4, 1)).received === 1) return end;
      }
      return undefined;
    });
    const otherAlone = `chain out-web-\\w+ \\{\\s*[^\\n}]*udp dport ${seconds} [^\\n}]*\\s*\\}`;
    await inForce(host, new RegExp(otherAlone));
    assert.ok(Date.now() / 1000 >= expire);
    await assertDoesNotReach({ host, from: web }, outside4);
  }));

test.concurrent('a restart keeps the policies: the daemon recreates no chain', () =>
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
    await until('web is served again', async () => {
      return (await status(host)).vifs[0]?.phase === 'connected';
    });
    assert.equal(await chain(), before);
  }));
