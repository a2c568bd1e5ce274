/**
 * A name has four addresses, and its server answers with one of them in turn. Each is allowed for its TTL, also
 * while the server fails for the other family.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { test } from 'vitest';
import { shIn } from '../../faults/in-namespace.ts';
import { outside4, outside6 } from '../../rig/host.ts';
import type { SimHost } from '../../rig/sim/sim-host.ts';
import { assertReaches, ping } from '../../scenario/ping.ts';
import { create, web } from '../../scenario/vms.ts';
import { until } from '../../support/until.ts';
import { startFamilyNameServer } from './family-name-server.ts';
import { withNetVm } from './net-vm.ts';

const addresses = [1, 2, 3, 4].map((last) => `198.51.100.${last}`);
const ruleForName = '[[rule]]\naction = "accept"\ndsthost = "echo.test"\n';

const resolveAndConnect = `
import socket, struct
def ask():
    out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    out.settimeout(3)
    query = struct.pack('!HHHHHH', 7, 0x0100, 1, 0, 0, 0) + b'\\x04echo\\x04test\\x00'
    out.sendto(query + struct.pack('!HH', 1, 1), ('${outside4}', 53))
    return socket.inet_ntoa(out.recv(512)[-4:])
good = 0
for _ in range(20):
    out = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    address = ask()
    out.settimeout(0.5)
    try:
        out.connect((address, 7))
        good += 1
    except ConnectionRefusedError:
        good += 1
    except OSError:
        pass
print(good)
`;

const serveWeb = async (host: SimHost, policy: string): Promise<void> => {
  const lines = addresses.map((address) => `ip addr add ${address}/32 dev lo`);
  await shIn(host, 'world', lines.join(';'));
  writeFileSync(`${host.daemon.policies}/web.toml`, policy);
  await host.startDaemon();
  await create(host, web);
};

const allowsAll = async (host: SimHost): Promise<boolean> => {
  const { stdout } = await host.inNetVm(['nft', 'list', 'table', 'inet', 'vifwatch']);
  const chain = /chain out-web-[^}]*}/.exec(stdout)?.[0] ?? '';
  // nft merges adjacent addresses into ranges.
  return chain.includes('198.51.100.1-198.51.100.4') || addresses.every((a) => chain.includes(a));
};

test('a VM can connect to each address that it resolves', () =>
  withNetVm(
    async (host) => {
      const zone = { 'echo.test': { a: addresses, aTtl: 60 } };
      const log = await startFamilyNameServer(host, outside4, zone);
      const ruleForServer = `[[rule]]\naction = "accept"\ndst4 = "${outside4}"\n`;
      await serveWeb(host, ruleForServer + ruleForName);
      await assertReaches({ host, from: web }, outside4);
      await until('all addresses are in the policy', () => allowsAll(host));
      assert.match(log(), /echo\.test a /);
      const { stdout } = await host.inVm(web.name, ['python3', '-c', resolveAndConnect]);
      assert.equal(stdout, '20\n');
    },
    { daemon: false },
  ));

test("an answer keeps its TTL beside the other family's", () =>
  withNetVm(
    async (host) => {
      // The daemon asks for both families again when the shorter TTL is over.
      const entry = { a: addresses, aTtl: 600, aaaa: ['2001:db8:77::9'], aaaaTtl: 5 };
      const log = await startFamilyNameServer(host, outside4, { 'echo.test': entry });
      await serveWeb(host, ruleForName);
      const asked = (family: string): number => log().split(`echo.test ${family} `).length - 1;
      await until('all addresses are in the policy', () => allowsAll(host));
      const before = asked('aaaa');
      await until('the shorter TTL has ended twice', () => asked('aaaa') >= before + 2);
      for (const address of addresses)
        assert.equal((await ping({ host, from: web }, address, 2)).received, 2, address);
    },
    { daemon: false },
  ));

test('while a name server fails for IPv6 only, the last IPv6 answer stays in force', () =>
  withNetVm(
    async (host) => {
      const entry = { a: addresses, aTtl: 5, aaaa: [outside6], aaaaTtl: 5, aaaaFailsAfter: 2 };
      const log = await startFamilyNameServer(host, outside4, { 'echo.test': entry });
      await serveWeb(host, ruleForName);
      await until(
        'IPv6 is allowed',
        async () => (await ping({ host, from: web }, outside6, 1)).received === 1,
      );
      const fails = (): number => log().split('echo.test aaaa fails').length - 1;
      await until('the name server has failed three times', () => fails() >= 3);
      await assertReaches({ host, from: web }, outside6);
    },
    { daemon: false },
  ));
