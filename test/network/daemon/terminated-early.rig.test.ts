/** SIGTERM comes before `nft monitor` has answered. The daemon must end with status 0 within seconds. */
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { test } from 'vitest';
import { reactionMs, within } from '../../faults/in-namespace.ts';
import { childrenOf, commandLine } from '../../rig/process.ts';
import { namespaceOf } from '../../rig/sim/topology.ts';
import { until } from '../../support/until.ts';
import { withNetVm } from './net-vm.ts';

const main = new URL('../../../dist/main.js', import.meta.url).pathname;

test.each([20, 3600])('SIGTERM ends the daemon if nft monitor takes %i s', (seconds) =>
  withNetVm(
    async ({ sim, netVm }) => {
      const directory = `${sim.directory}/bin`;
      mkdirSync(directory);
      const script = `#!/bin/sh\ncase "$1" in monitor) sleep ${seconds};; esac\nexec /usr/sbin/nft "$@"\n`;
      writeFileSync(`${directory}/nft`, script);
      chmodSync(`${directory}/nft`, 0o755);
      const argv = sim.inNamespace(namespaceOf(netVm), [
        ...['env', `PATH=${directory}:${process.env['PATH']}`, process.execPath, main],
        ...['--config', `${sim.directory}/vifwatch.toml`],
        ...['--runtime', `${sim.directory}/vifwatch`, 'run'],
      ]);
      const daemon = sim.start('early', argv, { domid: netVm });
      await until('the monitor is started', () =>
        childrenOf(daemon.pid).some((pid) => /nft monitor/.test(commandLine(pid))),
      );
      await delay(1_500);
      daemon.child.kill('SIGTERM');
      const hasEnded = (): boolean => daemon.child.exitCode !== null;
      const ended = await within(reactionMs, hasEnded);
      const { exitCode } = daemon.child;
      await daemon.kill();
      assert.ok(ended, daemon.log());
      assert.equal(exitCode, 0);
    },
    { daemon: false },
  ),
);
