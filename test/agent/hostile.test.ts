/** A VM whose agent means ill hurts nobody but itself: an honest one goes on calling meanwhile. */
import { once } from 'node:events';
import { execa } from 'execa';
import { expect, onTestFinished, test } from 'vitest';
import { rssMiB } from '../rig/process.ts';
import { ask, linkTo, makeVm, services, startHost } from './vms.ts';

const program = new URL('child/hostile.ts', import.meta.url).pathname;

/** What the agent says in its log when it has had enough of one; the others go on all the time. */
const attacks: Readonly<Record<string, string | undefined>> = {
  garbage: '"by":"us","code":"',
  mute: '"by":"us","code":"hung"',
  pings: '"by":"us","code":"state"',
  greedy: undefined,
  calls: undefined,
};

/** A hung peer is known after six seconds. */
const attackMs = 10_000;
const slowestMs = 2_000;
/** Four peers at their bound, and what the garbage collector has not come to yet. */
/** What four peers may have logged in the time that all of it takes. */
const mostLines = 4_000;
const mostMiB = 100;

test('attackers of all kinds at once', async () => {
  const host = await startHost();
  const evils = Object.keys(attacks).map((mode) => ({ mode, name: `evil-${mode}` }));
  const victim = await makeVm(host, 'sa-vm', {
    serve: ['workload-vm', ...evils.map(({ name }) => name)],
    policy: ['* * @anyvm sa-vm allow'],
    services: { ...services, zeros: '#!/bin/sh\nexec cat /dev/zero\n' },
  });
  const honest = await makeVm(host, 'workload-vm', { connect: ['sa-vm'] });
  await Promise.all([victim.start(), honest.start()]);
  const mux = await linkTo(honest);
  const call = () => ask(mux, { target: 'sa-vm', service: 'cat', argument: '' }, 'still here');
  await call();
  const before = rssMiB(victim.pid());

  const start = async ({ mode, name }: (typeof evils)[number]): Promise<void> => {
    const domid = await host.create({ name });
    const argv = ['--import', 'tsx', program, `${victim.domid}`, mode];
    const evil = execa(process.execPath, argv, {
      env: host.sim.env({ domid, hypercalls: true }),
      reject: false,
      buffer: false,
    });
    onTestFinished(async () => {
      evil.kill('SIGKILL');
      await evil;
    });
    await once(evil.stdout, 'data');
  };
  for (const evil of evils) await start(evil);

  const until = performance.now() + attackMs;
  const times: number[] = [];
  while (performance.now() < until) {
    const start = performance.now();
    const { outcome, stdout } = await call();
    expect(outcome).toEqual({ kind: 'exited', status: 0 });
    expect(stdout.toString()).toBe('still here');
    times.push(performance.now() - start);
  }
  expect(Math.max(...times)).toBeLessThan(slowestMs);
  const log = victim.log();
  for (const [mode, said] of Object.entries(attacks)) {
    const lines = log.split('\n').filter((line) => line.includes(`"evil-${mode}"`));
    const closed = lines.filter((line) => line.includes('the link is closed'));
    if (said === undefined) expect(closed).toEqual([]);
    else expect(closed.join('\n')).toContain(said);
  }
  expect(log.split('\n').length).toBeLessThan(mostLines);
  expect(rssMiB(victim.pid()) - before).toBeLessThan(mostMiB);
});
