/**
 * A name has four addresses, and its server answers with one of them in turn. Each must be allowed for its
 * TTL.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { test } from 'vitest';
import { withNetVm } from '../network/daemon/net-vm.ts';
import { outside4 } from '../rig/host.ts';
import type { SimHost } from '../rig/sim/sim-host.ts';
import { assertReaches, ping } from '../scenario/ping.ts';
import { create, web } from '../scenario/vms.ts';
import { until } from '../support/until.ts';
import { startFamilyNameServer } from './family-name-server.ts';
import { shIn } from './in-namespace.ts';
import { fault } from './known.ts';

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

test.fails(fault('dns-rotation', 'a VM can connect to each address that it resolves'), () =>
  withNetVm(
    async (host) => {
      const zone = { 'echo.test': { a: addresses, aTtl: 60 } };
      const log = await startFamilyNameServer(host, outside4, zone);
      const ruleForServer = `[[rule]]\naction = "accept"\ndst4 = "${outside4}"\n`;
      await serveWeb(host, ruleForServer + ruleForName);
      await assertReaches({ host, from: web }, outside4);
      await until('the daemon has asked', () => log().includes('echo.test a '));
      await delay(1_000);
      const { stdout } = await host.inVm(web.name, ['python3', '-c', resolveAndConnect]);
      assert.equal(stdout, '20\n');
    },
    { daemon: false },
  ),
);

test.fails(fault('dns-rotation', "an answer keeps its TTL beside the other family's"), () =>
  withNetVm(
    async (host) => {
      // The daemon asks for both families again when the shorter TTL is over.
      const entry = { a: addresses, aTtl: 600, aaaa: ['2001:db8:77::9'], aaaaTtl: 5 };
      const log = await startFamilyNameServer(host, outside4, { 'echo.test': entry });
      await serveWeb(host, ruleForName);
      const asked = (): number => log().match(/echo\.test a /g)?.length ?? 0;
      await until('the daemon has asked twice', () => asked() >= 2);
      await delay(1_000);
      for (const address of addresses.slice(0, asked()))
        assert.equal((await ping({ host, from: web }, address, 2)).received, 2, address);
    },
    { daemon: false },
  ),
);
