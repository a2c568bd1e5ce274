/** The kernel logs spoofed packets; a flood of them costs neither the log nor the daemon anything. */
import assert from 'node:assert/strict';
import { expect, test } from 'vitest';
import { untilIdle } from '../../bench/footprint.ts';
import { outside4 } from '../../rig/host.ts';
import { cpuSeconds } from '../../rig/process.ts';
import { openBound } from '../../support/slowness.ts';
import { udp4 } from './frames.ts';
import { guestVm, macOf, serveOne, status, withNetVm } from './net-vm.ts';
import { loggedAmong } from './packet-log.ts';
import { flood } from './sender.ts';

const port = 7777;
const foreign = '192.0.2.77';
/** Frames whose source address is not the guest's own. */
const spoofedFrames = (guest: number, count: number): string[] =>
  Array<string>(count).fill(udp4({ source: macOf(guest), from: foreign, to: outside4 }, port));

test('a few of many spoofed packets are logged, with the vif and the source', () =>
  withNetVm(async (host) => {
    const guest = await serveOne(host);
    const count = 200;
    let seconds = 0;
    const logged = await loggedAmong(host, { port, count }, async () => {
      const start = performance.now();
      await host.sendFrames(guestVm.name, spoofedFrames(guest, count));
      seconds = (performance.now() - start) / 1000;
    });
    // The limit is five packets at once, and one more every six seconds.
    const isFew = logged.length >= 5 && logged.length <= 5 + Math.ceil(seconds / 6);
    assert.ok(isFew, `${logged.length} of ${count} in ${seconds} s`);
    const expected = { prefix: 'vifwatch spoofed: ', in: `vif${guest}.0`, out: undefined };
    for (const packet of logged) assert.deepEqual(packet, { ...expected, source: foreign });
  }));

const floodSeconds = 2;
const leastFrames = 5_000;
/** The limit of the daemon's processor time, which 10 µs for each frame would exceed. */
const mostSeconds = 0.04;

test('a flood of spoofed packets causes no work for the daemon', () =>
  withNetVm(async (host) => {
    const guest = await serveOne(host);
    const pid = host.daemon.pid();
    await untilIdle(pid, 1_000);
    const bound = await openBound(mostSeconds);
    const before = cpuSeconds(pid);
    const sent = await flood(host, guestVm.name, floodSeconds, spoofedFrames(guest, 100));
    const after = cpuSeconds(pid);
    const drops = async () => (await status(host)).drops?.['foreign_source4'];
    await expect.poll(drops).toBe(sent);
    const used = after.own + after.children - before.own - before.children;
    console.info(`${sent} frames; the daemon used ${used} s of CPU`);
    assert.ok(sent > leastFrames, `${sent} frames`);
    await bound.assertKept(used, 'processor time of the daemon');
  }));
