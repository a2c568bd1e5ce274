/** DNS names in policies, with real name servers. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { test } from 'vitest';
import { outside4 } from '../../rig/host.ts';
import type { SimHost } from '../../rig/sim/sim-host.ts';
import { namespaceOf } from '../../rig/sim/topology.ts';
import { assertDoesNotReach, assertReaches, ping } from '../../scenario/ping.ts';
import { create, mail, web } from '../../scenario/vms.ts';
import { openBound } from '../../support/slowness.ts';
import { until } from '../../support/until.ts';
import { silencedQueries, startNameServer, useSilentNameServers } from './name-server.ts';
import { withNetVm } from './net-vm.ts';
import { startEcho, startProbe } from './probe.ts';

const write = (host: SimHost, vm: string, text: string): void =>
  writeFileSync(`${host.daemon.policies}/${vm}.toml`, text);

const only = (name: string): string => `[[rule]]\naction = "accept"\ndsthost = "${name}"\n`;

const answers = async (host: SimHost): Promise<boolean> =>
  (await ping({ host, from: web }, outside4, 1)).received === 1;

test.concurrent('a name is closed until it has addresses, then follows them, and a flow outlives the change', () =>
  withNetVm(
    async (host) => {
      const setZone = await startNameServer(host, outside4);
      await startEcho(host, 'world', outside4);
      write(host, 'web', only('Echo.Test'));
      await host.startDaemon();
      const domid = await create(host, web);
      await create(host, mail);
      await assertReaches({ host, from: mail }, outside4);
      await assertDoesNotReach({ host, from: web }, outside4);
      setZone({ 'echo.test': ['203.0.113.1', outside4] });
      await until('the name leads to the echo server', () => answers(host));
      const flow = await startProbe(host, namespaceOf(domid), 'tcp', outside4);
      setZone({ 'echo.test': ['203.0.113.1'] });
      await until('the name leads elsewhere', async () => {
        const { stdout } = await host.inNetVm(['nft', 'list', 'table', 'inet', 'vifwatch']);
        const chain = /chain out-web-[^}]*}/.exec(stdout)?.[0] ?? '';
        return chain.includes('203.0.113.1') && !chain.includes(outside4);
      });
      await assertDoesNotReach({ host, from: web }, outside4);
      await flow.goesOn();
    },
    { daemon: false },
  ));

test.concurrent('a drop rule for a name without addresses closes everything that the name could mean', () =>
  withNetVm(
    async (host) => {
      const setZone = await startNameServer(host, outside4);
      const drop = '[[rule]]\naction = "drop"\ndsthost = "evil.test"\n';
      write(host, 'web', `${drop}\n[[rule]]\naction = "accept"\n`);
      await host.startDaemon();
      await create(host, web);
      await assertDoesNotReach({ host, from: web }, outside4);
      setZone({ 'evil.test': ['203.0.113.1'] });
      await until('the name has another address', () => answers(host));
    },
    { daemon: false },
  ));

test.concurrent('silent name servers delay no VM', () =>
  withNetVm(
    async (host) => {
      await useSilentNameServers(host);
      write(host, 'web', only('echo.test'));
      const bound = await openBound(3_000);
      const begin = performance.now();
      await host.startDaemon();
      await create(host, mail);
      await assertReaches({ host, from: mail }, outside4);
      await bound.assertKept(performance.now() - begin, 'mail is served');
      assert.ok((await silencedQueries(host)) > 0, 'no name server was asked');
      await create(host, web);
      await assertDoesNotReach({ host, from: web }, outside4);
    },
    { daemon: false },
  ));
