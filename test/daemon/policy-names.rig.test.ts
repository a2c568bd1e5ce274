/** DNS names in policies, with a real name server. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { test } from 'vitest';
import { outside4 } from '../rig/host.ts';
import type { SimHost } from '../rig/sim/sim-host.ts';
import { assertDoesNotReach, assertReaches, ping } from '../scenario/ping.ts';
import { create, mail, web } from '../scenario/vms.ts';
import { slowness } from '../support/slowness.ts';
import { until } from '../support/until.ts';
import { startNameServer } from './name-server.ts';
import { withNetVm } from './net-vm.ts';
import { probe, startEcho } from './probe.ts';

const write = (host: SimHost, vm: string, text: string): void =>
  writeFileSync(`${host.daemon.policies}/${vm}.toml`, text);

const only = (name: string): string => `[[rule]]\naction = "accept"\ndsthost = "${name}"\n`;

const answers = async (host: SimHost): Promise<boolean> =>
  (await ping({ host, from: web }, outside4, 1)).received === 1;

test.concurrent('a name is closed until it has addresses, then follows them; its flows live on', () =>
  withNetVm(
    async (host) => {
      const server = await startNameServer(host, outside4);
      await startEcho(host, 'world', outside4);
      write(host, 'web', only('Echo.Test'));
      await host.startDaemon();
      await create(host, web);
      await create(host, mail);
      await assertReaches({ host, from: mail }, outside4);
      await assertDoesNotReach({ host, from: web }, outside4);
      server.setZone({ 'echo.test': ['203.0.113.1', outside4] });
      await until('the name leads to it', () => answers(host));
      const flow = probe(host, web.name, 'tcp', outside4, { most: 8 });
      await until('the flow is tracked', async () => {
        const { stdout } = await host.inNetVm(['conntrack', '-L', '-s', web.ipv4, '-p', 'tcp']);
        return stdout.includes('ESTABLISHED');
      });
      server.setZone({ 'echo.test': ['203.0.113.1'] });
      await until('the name leads there no more', async () => !(await answers(host)));
      const movedAt = Date.now();
      server.setZone({ 'echo.test': [outside4] });
      await until('the name leads to it again', () => answers(host));
      assert.ok((await flow).lastAt > movedAt, 'the flow outlives the address of its name');
    },
    { daemon: false },
  ));

test.concurrent('a name to be dropped that has no address closes all that it could be', () =>
  withNetVm(
    async (host) => {
      const server = await startNameServer(host, outside4);
      const drop = '[[rule]]\naction = "drop"\ndsthost = "evil.test"\n';
      write(host, 'web', `${drop}\n[[rule]]\naction = "accept"\n`);
      await host.startDaemon();
      await create(host, web);
      await assertDoesNotReach({ host, from: web }, outside4);
      server.setZone({ 'evil.test': ['203.0.113.1'] });
      await until('the name is somebody else', () => answers(host));
    },
    { daemon: false },
  ));

test.concurrent('a name server that is silent holds up nobody', () =>
  withNetVm(
    async (host) => {
      const server = await startNameServer(host, outside4);
      server.kill();
      write(host, 'web', only('echo.test'));
      await host.startDaemon();
      const begin = Date.now();
      await create(host, mail);
      await assertReaches({ host, from: mail }, outside4);
      assert.ok(Date.now() - begin < 3_000 * (await slowness()));
      await create(host, web);
      await assertDoesNotReach({ host, from: web }, outside4);
    },
    { daemon: false },
  ));
