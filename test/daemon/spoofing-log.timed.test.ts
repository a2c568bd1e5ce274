/** Of spoofed packets the kernel's log tells, and a flood of them costs neither it nor the daemon anything. */
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { untilIdle } from '../bench/footprint.ts';
import { outside4 } from '../rig/host.ts';
import { cpuSeconds } from '../rig/process.ts';
import { udp4 } from './frames.ts';
import { linesAboutPort, portOfItsOwn, withKernelLog } from './kernel-log.ts';
import { macOf, serveOne, status, withNetVm } from './net-vm.ts';
import { flood } from './sender.ts';

const floodSeconds = 4;

test('a flood of spoofed packets: a few lines that name the vif, and no work for the daemon', async () => {
  await withKernelLog(() =>
    withNetVm(async (host) => {
      const guest = await serveOne(host);
      const port = portOfItsOwn();
      const lie = udp4({ source: macOf(guest), from: '192.0.2.77', to: outside4 }, port);
      const pid = host.daemon.pid();
      await untilIdle(pid, 1_000);
      const before = cpuSeconds(pid);
      const sent = await flood(host, 'guest', floodSeconds, Array<string>(100).fill(lie));
      const after = cpuSeconds(pid);
      assert.equal((await status(host)).drops?.['foreign_source4'], sent);
      assert.ok(sent > 20_000, `${sent} frames`);
      const lines = await linesAboutPort(port);
      const used = after.own + after.children - before.own - before.children;
      console.info(`${sent} frames, ${lines.length} lines; the daemon used ${used} s of CPU`);
      // The burst of five, and one for each six seconds.
      assert.ok(lines.length >= 5 && lines.length <= 6, `${lines.length} lines`);
      for (const line of lines)
        assert.match(line, /^vifwatch spoofed: IN=vif3\.0 .*SRC=192\.0\.2\.77 /);
      assert.ok(used / floodSeconds <= 0.01, `${used} s of CPU`);
    }),
  );
});
