/**
 * A service's left-over process stops the agent's children between setuid and exec. Another VM's calls must
 * succeed.
 */
import { appendFileSync, chmodSync, copyFileSync } from 'node:fs';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { ask, linkTo, makeVm, services, startHost } from '../ipc/agent/vms.ts';
import type { SimHost } from '../rig/sim/sim-host.ts';
import { namespaceOf } from '../rig/sim/topology.ts';
import { until } from '../support/until.ts';
import { fault } from './known.ts';

const source = new URL('child/stopper.c', import.meta.url).pathname;
const holdSeconds = 6;
/** Longest search for the window, in seconds; a few calls are usually enough. */
const mostSeconds = 60;

/** Adds a user to /etc/passwd, in the rig's mount namespace only. */
const addUser = async ({ sim }: SimHost): Promise<void> => {
  const passwd = `${sim.directory}/passwd`;
  copyFileSync('/etc/passwd', passwd);
  appendFileSync(passwd, 'stopper:x:23457:23457::/tmp:/bin/sh\n');
  const mount = sim.inRig(['mount', '--bind', passwd, '/etc/passwd']);
  const { status, stderr } = await sim.run(mount, { domid: 0 });
  expect(status, stderr).toBe(0);
};

test.fails(fault('f10', 'a service that stops a starting child delays no other VM'), async () => {
  const host = await startHost();
  const { sim } = host;
  await addUser(host);
  const victim = await makeVm(host, 'sa-vm', {
    serve: ['workload-vm', 'other-vm'],
    policy: ['own * workload-vm sa-vm allow user=stopper', 'cat * other-vm sa-vm allow'],
    services: { ...services, own: '#!/bin/sh\nexec true\n' },
  });
  const caller = await makeVm(host, 'workload-vm', { connect: ['sa-vm'] });
  const honest = await makeVm(host, 'other-vm', { connect: ['sa-vm'] });
  await Promise.all([victim.start(), caller.start(), honest.start()]);
  const [evil, good] = [await linkTo(caller), await linkTo(honest)];
  const { etc } = victim;
  for (const path of [sim.directory, `${sim.directory}/sa-vm`, etc, `${etc}/services`])
    chmodSync(path, 0o755);
  const program = `${sim.directory}/stopper`;
  await execa('cc', ['-O1', '-o', program, source]);
  const argv = [program, `${victim.pid()}`, `${holdSeconds}`];
  const stopper = sim.start('stopper', sim.inNamespace(namespaceOf(victim.domid), argv), {
    domid: victim.domid,
  });
  await until('the stopper is ready', () => stopper.log().includes('ready'));
  const end = performance.now() + 1000 * mostSeconds;
  const isOver = (): boolean => performance.now() > end || stopper.log().includes('WINDOW');
  const hammer = async (): Promise<void> => {
    while (!isOver()) await ask(evil, { target: 'sa-vm', service: 'own', argument: '' });
  };
  const hammers = Promise.all([hammer(), hammer(), hammer(), hammer()]);
  await until('a child is stopped, or the search is over', isOver);
  const began = performance.now();
  await ask(good, { target: 'sa-vm', service: 'cat', argument: '' }, 'x');
  const took = performance.now() - began;
  await stopper.kill();
  await hammers;
  expect(took, 'ms of a call').toBeLessThan(2_000);
});
