/** Hundreds of vifs come and go, and leave nothing behind in the kernel, the store or the daemon. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'vitest';
import { childrenOf, nameOf, openFiles, rssMiB, threadsOf } from '../../rig/process.ts';
import type { SimHost } from '../../rig/sim/sim-host.ts';
import { printFigures } from '../../support/figures.ts';
import { until } from '../../support/until.ts';
import { attachVifs, becomeConnected, detachVifs, devidsUpTo } from './many-vifs.ts';
import { kernelState, withNetVm } from './net-vm.ts';

/** A cycle attaches and detaches one vif; a second has about 20 of them. `npm run nightly` asks for 5000. */
const { VIFWATCH_CYCLES = '300' } = process.env;
const cycles = Number(VIFWATCH_CYCLES);
const devids = devidsUpTo(20);
const maxGrowthMiB = 5;

const control = '/usr/lib/xen-4.17/bin/xenstore-control';

/** Everything that a vif could leave behind. */
const residueOf = async (host: SimHost) => {
  const pid = host.daemon.pid();
  const ask = async (argv: readonly string[]): Promise<string[]> => {
    const { status, stdout, stderr } = await host.inNetVm(argv);
    assert.equal(status, 0, stderr);
    return stdout.split('\n').sort();
  };
  // The nodes, watches and transactions of net-vm (its kernel included), as xenstored counts them.
  const quota = await host.sim.run([control, 'quota', `${host.netVm}`], {
    domid: 0,
    hypercalls: true,
  });
  assert.match(quota.stdout, /nodes .*\nwatches .*\ntransactions /, quota.stderr);
  return {
    kernel: await kernelState(host),
    links: await ask(['ip', '-br', 'link']),
    routes: await ask(['ip', 'route', 'show', 'table', 'all']),
    // Neighbour entries on the uplink do not come from vifs.
    neighbours: (await ask(['ip', 'neigh'])).filter((line) => !line.includes(' dev eth0 ')),
    tables: await ask(['nft', 'list', 'tables']),
    nodes: [...(await host.dom0.tree(`/local/domain/${host.netVm}`))],
    quota: quota.stdout,
    openFiles: openFiles(pid),
    threads: threadsOf(pid).length,
    children: childrenOf(pid).map(nameOf).sort(),
    runtime: readdirSync(`${host.sim.directory}/vifwatch`).sort(),
  };
};

const cycle = async (host: SimHost, guest: number): Promise<void> => {
  await attachVifs(host, guest, devids);
  await becomeConnected(host, guest, devids);
  assert.deepEqual(await detachVifs(host, guest, devids), []);
};

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

test(`${cycles} cycles leave nothing behind`, async () => {
  await withNetVm(
    async (host) => {
      const guest = await host.create({ name: 'guest' });
      await cycle(host, guest);
      await until('the rules of the first round are gone', async () => {
        return !(await kernelState(host)).includes('vif3');
      });
      const before = await residueOf(host);
      const rss: number[] = [];
      const start = performance.now();
      while (rss.length * devids.length < cycles) {
        await cycle(host, guest);
        rss.push(rssMiB(host.daemon.pid()));
      }
      const perSecond = (rss.length * devids.length * 1000) / (performance.now() - start);
      let after = await residueOf(host);
      await until('everything is as before the cycles', async () => {
        after = await residueOf(host);
        return JSON.stringify(after) === JSON.stringify(before);
      }).catch(() => assert.deepEqual(after, before));
      const quarter = Math.ceil(rss.length / 4);
      const [middle, last] = [rss.slice(2 * quarter, 3 * quarter), rss.slice(3 * quarter)];
      const growth = median(last) - median(middle);
      assert.ok(growth < maxGrowthMiB, `RSS grew by ${growth} MiB: ${rss.map(Math.round)}`);
      printFigures({
        cycles: rss.length * devids.length,
        perSecond: Number(perSecond.toFixed(1)),
        rssMiB: Number(median(last).toFixed(1)),
        grownByMiB: Number(growth.toFixed(1)),
      });
    },
    { quota: { nodes: 9000, watches: 1000 } },
  );
});
