/** The daemon ends in any way and starts again, in the same version or another: flows do not notice. */
import assert from 'node:assert/strict';
import { cpSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { test } from 'vitest';
import { packageRoot } from '../../../src/package.ts';
import { outside4, outside6 } from '../../rig/host.ts';
import type { SimHost } from '../../rig/sim/sim-host.ts';
import { namespaceOf } from '../../rig/sim/topology.ts';
import { assertReaches } from '../../scenario/ping.ts';
import { inNetVm } from '../../scenario/vms.ts';
import { until } from '../../support/until.ts';
import { assertNothingLost, echo, type Flow, send, sendsMore, world } from './flows.ts';
import { attachRaw, becomesConnected, guestVm, withNetVm } from './net-vm.ts';

const [allowedPort, forbiddenPort] = [7777, 6666];
const enough = 100;

/** Makes another version of the package: other rules, the same sets. */
const makeOtherVersion = (host: SimHost): string => {
  const other = `${host.sim.directory}/other`;
  for (const part of ['dist', 'rules', 'package.json']) {
    cpSync(`${packageRoot}/${part}`, `${other}/${part}`, { recursive: true });
  }
  symlinkSync(`${packageRoot}/native`, `${other}/native`);
  const rules = `${other}/rules/vifwatch.nft`;
  const text = readFileSync(rules, 'utf8');
  const changed = text.replace(/chain forward \{\n\t\tjump.*\n/, '$&\t\tmeta mark 0x777 drop\n');
  assert.notEqual(changed, text);
  writeFileSync(rules, `${changed}\ntable inet vifwatch {\n\tchain retired {\n\t\tdrop\n\t}\n}\n`);
  return other;
};

test('SIGTERM, SIGKILL, restart, upgrade and downgrade: no allowed packet is lost, no forbidden packet passes', async () => {
  await withNetVm(async (host) => {
    const guest = await host.create(guestVm);
    const other = await host.create({ name: 'other' });
    await attachRaw(host, guest, { ip: '10.0.5.30 fd00:5::30' });
    await attachRaw(host, other, { ip: '10.0.5.40 fd00:5::40' });
    await becomesConnected(host, guest);
    await becomesConnected(host, other);
    await assertReaches({ host, from: guestVm }, outside4, outside6);
    await assertReaches({ host, from: { name: 'other' } }, outside4);
    const [from, neighbour, netVm] = [namespaceOf(guest), namespaceOf(other), namespaceOf(2)];

    await echo(host, world, allowedPort);
    const allowed = [
      await send(host, from, outside4, allowedPort),
      await send(host, from, outside6, allowedPort),
      await send(host, from, outside4),
      await send(host, netVm, '10.0.5.40'),
    ];
    const listen = () =>
      Promise.all([from, neighbour, netVm].map((place) => echo(host, place, forbiddenPort)));
    const closed = await listen();
    const forbidden = [
      await send(host, world, '10.0.5.30', forbiddenPort),
      await send(host, from, 'fd00:5::40', forbiddenPort),
      await send(host, from, '192.0.2.2', forbiddenPort),
    ];
    const goOn = (): Promise<unknown> =>
      Promise.all([...allowed, ...forbidden].map((flow: Flow) => sendsMore(flow, enough)));

    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      await goOn();
      await host.signalDaemon(signal);
      await goOn();
      await host.startDaemon();
    }
    await goOn();
    await host.signalDaemon('SIGTERM');
    await host.daemon.start(`${makeOtherVersion(host)}/dist/main.js`);
    await goOn();
    assert.match(await inNetVm(host, ['nft', 'list', 'ruleset']), /0x00000777/);
    await host.signalDaemon('SIGKILL');
    await host.startDaemon();
    await goOn();
    assert.doesNotMatch(await inNetVm(host, ['nft', 'list', 'ruleset']), /0x00000777/);

    for (const flow of closed) assert.equal((await flow.stop()).seen, 0);
    for (const [index, flow] of allowed.entries()) await assertNothingLost(flow, `flow ${index}`);

    // Without the rules, the forbidden flows pass.
    await host.signalDaemon('SIGTERM');
    await inNetVm(host, ['nft', 'flush', 'ruleset']);
    for (const flow of await listen()) {
      await until('the forbidden flow passes', async () => (await flow.now()).seen > 0);
      await flow.stop();
    }
    for (const flow of forbidden) assert.ok((await flow.stop()).sent > 6 * enough);
  });
});
