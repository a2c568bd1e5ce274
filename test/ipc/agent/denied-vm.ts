/** A VM whose calls are all denied. */
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { onTestFinished } from 'vitest';
import type { Agent } from '../../rig/sim/agent.ts';
import { makeVm, startHost } from './vms.ts';

/** Calls without a pause. */
export const hostile = fileURLToPath(new URL('child/hostile.ts', import.meta.url));

/** Starts an agent, and `program` in the VM `evil`, whose calls the agent denies. */
export const startDenied = async (program: string, ...args: readonly string[]): Promise<Agent> => {
  const host = await startHost();
  const victim = await makeVm(host, 'sa-vm', {
    serve: ['evil'],
    policy: ['* * @anyvm sa-vm deny'],
  });
  await victim.start();
  const domid = await host.create({ name: 'evil' });
  const argv = ['--import', 'tsx', program, `${victim.domid}`, ...args];
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
  return victim;
};
