/** Rules, neighbour, link up, route, `connected`: in this order, as seen from outside. */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { filter, firstValueFrom, mergeMap } from 'rxjs';
import { test } from 'vitest';
import { namespaceOf } from '../rig/sim/topology.ts';
import { until } from '../support/until.ts';
import { attachRaw, backend, becomesConnected, withNetVm } from './net-vm.ts';

test('rules stand before the link is up, and everything before "connected"', async () => {
  await withNetVm(
    async (host) => {
      const directory = `${host.sim.directory}/bin`;
      const seen = `${directory}/links-at-each-nft`;
      mkdirSync(directory);
      // Once each nft has read all its input and begins to work, the links that are up by then.
      const script = `#!/bin/sh
case "$*" in *" /proc/self/fd/0") cat > ${seen}.$$; exec < ${seen}.$$;; esac
{ echo "$*"; [ ! -e ${seen}.$$ ] || cat ${seen}.$$; ip -o link show up; } >> ${seen}
exec /usr/sbin/nft "$@"
`;
      writeFileSync(`${directory}/nft`, script, { mode: 0o755 });
      const { PATH } = process.env;
      Object.assign(process.env, { PATH: `${directory}:${PATH}` });
      await host.startDaemon();
      Object.assign(process.env, { PATH });

      const guest = await host.create({ name: 'guest' });
      const routeAtConnected = firstValueFrom(
        host.dom0.watch(`${backend(guest)}/hotplug-status`).pipe(
          mergeMap((path) => host.read(path)),
          filter((value) => value === 'connected'),
          mergeMap(() => host.inNetVm(['ip', 'route', 'show', 'proto', '86'])),
        ),
      );
      await attachRaw(host, guest, { ip: '10.0.5.30' });
      assert.match((await routeAtConnected).stdout, /^10\.0\.5\.30 dev vif/m);

      const runs = readFileSync(seen, 'utf8').split(/^(?=-)/m);
      const first = runs.find((run) => run.includes('10.0.5.30')) ?? '';
      assert.ok(first.includes(' eth0@'), 'the stand-in saw no links at all');
      assert.ok(!first.includes(` vif${guest}.0@`), `the link was up before its rules: ${first}`);
    },
    { daemon: false },
  );
});

test('the kernel tells: neighbour, then link up, then route', async () => {
  await withNetVm(async (host) => {
    const argv = host.sim.inNamespace(namespaceOf(host.netVm), [
      'ip',
      '-o',
      'monitor',
      'link',
      'neigh',
      'route',
    ]);
    const monitor = host.sim.start('ip-monitor', argv, { domid: host.netVm });
    await until('the monitor listens', async () => {
      await host.inNetVm(['ip', 'route', 'add', '198.51.100.9', 'dev', 'eth0']);
      await host.inNetVm(['ip', 'route', 'del', '198.51.100.9', 'dev', 'eth0']);
      return monitor.log().includes('198.51.100.9');
    });
    const guest = await host.create({ name: 'guest' });
    await attachRaw(host, guest, { ip: '10.0.5.30' });
    await becomesConnected(host, guest);
    await until('the route is reported', () => monitor.log().includes('10.0.5.30 dev vif'));
    const lines = monitor.log().split('\n');
    const first = (pattern: RegExp): number => lines.findIndex((line) => pattern.test(line));
    const order = [
      first(/^10\.0\.5\.30 dev vif\S+ lladdr \S+ PERMANENT/),
      first(new RegExp(`: vif${guest}\\.0@\\S+ <[^>]*\\bUP\\b`)),
      first(/^10\.0\.5\.30 dev vif\S+ proto 86/),
    ];
    assert.ok(!order.includes(-1), `${order}: ${monitor.log()}`);
    assert.deepEqual(
      order,
      [...order].sort((a, b) => a - b),
      monitor.log(),
    );
    await monitor.kill();
  });
});
