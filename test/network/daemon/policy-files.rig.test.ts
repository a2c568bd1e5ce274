/** Policy files that are missing, half written or wrong: no VM is opened, and none loses its addresses. */
import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { test } from 'vitest';
import { outside4 } from '../../rig/host.ts';
import type { SimHost } from '../../rig/sim/sim-host.ts';
import { namespaceOf } from '../../rig/sim/topology.ts';
import { assertReaches } from '../../scenario/ping.ts';
import { create, web } from '../../scenario/vms.ts';
import { until } from '../../support/until.ts';
import { echo, type Flow, send, sendsMore, world } from './flows.ts';
import { attachRaw, becomesConnected, becomesRefused, status, withNetVm } from './net-vm.ts';

const port = 4242;

const fileOf = (host: SimHost, name: string): string => `${host.daemon.policies}/${name}.toml`;

const inForce = (host: SimHost, rule: RegExp): Promise<void> =>
  until(`${rule} is in force`, async () =>
    rule.test((await host.inNetVm(['vifwatch', 'export'])).stdout),
  );

type Isolated = { readonly host: SimHost; readonly file: string; readonly flow: Flow };

/** Runs the body while an isolated VM sends without pause; no packet may be answered. */
const whileIsolated = (body: (rig: Isolated) => Promise<void>): Promise<void> =>
  withNetVm(async (host) => {
    const file = fileOf(host, web.name);
    writeFileSync(file, 'profile = "isolated"\n');
    const namespace = namespaceOf(await create(host, web));
    await inForce(host, /out-web-/);
    await echo(host, world, port);
    const flow = await send(host, namespace, outside4, port);
    await sendsMore(flow, 50);
    await body({ host, file, flow });
    assert.equal((await flow.stop()).seen, 0, 'answers');
  });

test.concurrent('no packet passes while a policy file is missing for a second', () =>
  whileIsolated(async ({ file, flow }) => {
    rmSync(file);
    await sendsMore(flow, 300);
    writeFileSync(file, 'profile = "isolated"\n');
    await sendsMore(flow, 100);
  }));

test.concurrent('no packet passes while a policy file is half written, and the whole file is in force', () =>
  whileIsolated(async ({ host, file, flow }) => {
    const writer = await open(file, 'w');
    await writer.write('[[rule]]\naction = "accept"\n');
    await sendsMore(flow, 300);
    await writer.write('dst4 = "203.0.113.9"\n');
    await writer.close();
    await inForce(host, /203\.0\.113\.9/);
  }));

test.concurrent('a vif that its policy closes keeps its address, also across a restart', () =>
  withNetVm(async (host) => {
    const ip = web.ipv4;
    const older = await host.create({ name: 'older' });
    const owner = await host.create({ name: web.name });
    await attachRaw(host, owner, { ip });
    await becomesConnected(host, owner);
    await attachRaw(host, older, { ip });
    await becomesRefused(host, older, 'ADDRESS_TAKEN');
    writeFileSync(fileOf(host, web.name), 'profile = "nowhere"\n');
    await becomesRefused(host, owner, 'POLICY_INVALID');
    for (const name of ['third', 'fourth']) {
      // A vif that is served later shows that the daemon has judged the others again.
      const other = await host.create({ name });
      await attachRaw(host, other, {});
      await becomesConnected(host, other);
      const { vifs } = await status(host);
      assert.equal(vifs.find(({ domid }) => domid === older)?.error?.code, 'ADDRESS_TAKEN');
      await host.signalDaemon('SIGKILL');
      await host.startDaemon();
    }
    rmSync(fileOf(host, web.name));
    await becomesConnected(host, owner);
    await assertReaches({ host, from: web }, outside4);
  }));
