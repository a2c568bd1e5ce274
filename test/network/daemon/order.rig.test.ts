/** The order as seen from outside: rules, neighbour entry, link up, route, `connected`. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { filter, firstValueFrom, mergeMap } from 'rxjs';
import { test } from 'vitest';
import { namespaceOf } from '../../rig/sim/topology.ts';
import { slowness } from '../../support/slowness.ts';
import { until } from '../../support/until.ts';
import { attachRaw, backend, becomesConnected, withNetVm } from './net-vm.ts';
import { withScripts } from './stand-in.ts';

const address = '10.0.5.30';

/** In this time, a daemon that does not wait for nft or ip would take its next step. */
const pauseS = 0.3 * (await slowness());

/** An nft that ends late; between its work and its end it notes the links that are up. */
const lateNft = (seen: string): string => `
case "$*" in *monitor*) exec /usr/sbin/nft "$@";; esac
about=$(grep -c '${address}' /proc/self/fd/0)
/usr/sbin/nft "$@"
status=$?
[ "$about" = 0 ] || { sleep ${pauseS}; echo 'nft:' >>${seen}; /usr/sbin/ip -o link show up >>${seen}; }
exit $status`;

/** An ip that begins late. */
const lateIp = `
case "$*" in *" -batch "*) ! grep -q '${address}' /proc/self/fd/0 || sleep ${pauseS};; esac
exec /usr/sbin/ip "$@"`;

test('the rules exist before the link is up, and everything exists before "connected"', async () => {
  const seen = (directory: string): string => `${directory}/links-at-the-end-of-nft`;
  await withScripts(
    (directory) => ({ nft: lateNft(seen(directory)), ip: lateIp }),
    async (host, directory) => {
      const guest = await host.create({ name: 'guest' });
      const routesAtConnected = firstValueFrom(
        host.dom0.watch(`${backend(guest)}/hotplug-status`).pipe(
          mergeMap((path) => host.read(path)),
          filter((value) => value === 'connected'),
          mergeMap(() => host.inNetVm(['ip', 'route', 'show', 'proto', '86'])),
        ),
      );
      await attachRaw(host, guest, { ip: address });
      assert.match((await routesAtConnected).stdout, /^10\.0\.5\.30 dev vif/m);

      const [, first = ''] = readFileSync(seen(directory), 'utf8').split('nft:\n');
      assert.ok(first.includes(' eth0@'), 'the stand-in saw no links at all');
      assert.ok(!first.includes(` vif${guest}.0@`), `the link was up before its rules: ${first}`);
    },
  );
});

test('the kernel reports the neighbour entry, then the link up, then the route', async () => {
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
