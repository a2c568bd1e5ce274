/**
 * A guest changes its claimed addresses without end. The daemon must log few lines about it, and read each
 * claim quickly.
 */
import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { interpret } from '../../src/network/vif/backend-vif.ts';
import { attachRaw, becomesConnected, withNetVm } from '../network/daemon/net-vm.ts';
import { domidOf } from '../support/domid.ts';
import { openBound } from '../support/slowness.ts';
import { fault } from './known.ts';

const churn = fileURLToPath(new URL('child/churn-claims.ts', import.meta.url));
const seconds = 10;

test.fails.each(['small', 'big'])(fault('f8', 'endless %s claims cause few log lines'), (kind) =>
  withNetVm(
    async (host) => {
      const noisy = await host.create({ name: 'noisy' });
      await attachRaw(host, noisy, {});
      await becomesConnected(host, noisy);
      await host.actors.pause(noisy);
      const logged = host.daemon.log().length;
      const began = performance.now();
      const argv = [process.execPath, '--import', 'tsx', churn, `${seconds}`, `${noisy}`, kind];
      const { status, stderr } = await host.sim.run(argv, { domid: noisy });
      assert.equal(status, 0, stderr);
      const elapsed = (performance.now() - began) / 1000;
      const lines = host.daemon.log().slice(logged).split('\n');
      const own = lines.filter((line) => line.includes(`"vif":"${noisy}/0"`));
      expect(own.length / elapsed, 'lines a second').toBeLessThan(2);
    },
    { actorProcess: true },
  ),
);

/** A claim with as many addresses as fit into a guest's xenstore node. */
const longestClaim = Array.from({ length: 380 }, (_, index) => `${(index + 1).toString(16)}::`)
  .join(',')
  .slice(0, 2_015);

const millisecondsToRead = (frontendIp: string): number => {
  const nodes = {
    'frontend-id': '3',
    frontend: '/local/domain/3/device/vif/0',
    online: '1',
    state: '4',
    mac: '00:16:3e:00:00:07',
    ip: '10.0.5.7',
    'hotplug-status': 'connected',
  };
  const times = Array.from({ length: 21 }, () => {
    const began = performance.now();
    interpret({ domid: domidOf(3), devid: 0, frontendIp, nodes });
    return performance.now() - began;
  });
  return times.sort((a, b) => a - b)[10] ?? Number.NaN;
};

test.fails(fault('f9', 'the longest claim is read within a few milliseconds'), async () => {
  const bound = await openBound(5);
  await bound.assertKept(millisecondsToRead(longestClaim), 'milliseconds to read a claim');
});
