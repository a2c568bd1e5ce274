/** A guest changes its claimed addresses without end. */
import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { until } from '../../support/until.ts';
import { attachRaw, becomesConnected, status, withNetVm } from './net-vm.ts';

const churn = fileURLToPath(new URL('child/churn-claims.ts', import.meta.url));
const seconds = 10;

test.each(['small', 'big'])(
  'endless %s claims cause few log lines, and the last state is logged',
  (kind) =>
    withNetVm(
      async (host) => {
        const noisy = await host.create({ name: 'noisy' });
        await attachRaw(host, noisy, {});
        await becomesConnected(host, noisy);
        await host.actors.pause(noisy);
        const logged = host.daemon.log().length;
        const began = performance.now();
        const argv = [process.execPath, '--import', 'tsx', churn, `${seconds}`, `${noisy}`, kind];
        const churned = await host.sim.run(argv, { domid: noisy });
        assert.equal(churned.status, 0, churned.stderr);
        const elapsed = (performance.now() - began) / 1000;
        const linesIn = (log: string): readonly string[] =>
          log.split('\n').filter((line) => line.includes(`"vif":"${noisy}/0"`));
        const own = linesIn(host.daemon.log().slice(logged));
        expect(own.length / elapsed, 'lines a second').toBeLessThan(2);
        await until('the log has the present phase', async () => {
          const { vifs } = await status(host);
          const phases = linesIn(host.daemon.log()).flatMap(
            (line) => /"phase":"(\w+)"/.exec(line)?.[1] ?? [],
          );
          return phases.at(-1) === vifs.find(({ domid }) => domid === noisy)?.phase;
        });
      },
      { actorProcess: true },
    ),
);
