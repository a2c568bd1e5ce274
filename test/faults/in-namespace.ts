/** Shell commands in the namespaces of a rig, and waits that may fail. */
import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import type { SimHost } from '../rig/sim/sim-host.ts';
import { slowness } from '../support/slowness.ts';

/** Runs a shell command in net-vm, which must succeed; gives its output. */
export const sh = async (host: SimHost, line: string): Promise<string> => {
  const { status: exit, stdout, stderr } = await host.inNetVm(['sh', '-c', line]);
  assert.equal(exit, 0, `${line}: ${stderr}`);
  return stdout.trim();
};

/** Runs a shell command in another namespace of the rig, which must succeed; gives its output. */
export const shIn = async (host: SimHost, namespace: string, line: string): Promise<string> => {
  const argv = host.sim.inNamespace(namespace, ['sh', '-c', line]);
  const { status: exit, stdout, stderr } = await host.sim.run(argv, { domid: 0 });
  assert.equal(exit, 0, `${line}: ${stderr}`);
  return stdout.trim();
};

/** Whether `condition` holds within `ms` milliseconds, a time that is prolonged on a slow machine. */
export const within = async (
  ms: number,
  condition: () => boolean | Promise<boolean>,
): Promise<boolean> => {
  const deadline = performance.now() + ms * (await slowness());
  while (!(await condition())) {
    if (performance.now() > deadline) return false;
    await delay(50);
  }
  return true;
};

/** Time for a reaction in ms: the promised second, and a margin. */
export const reactionMs = 4_000;

/** Reads a setting of net-vm below /proc/sys/net. */
export const sysctl = (host: SimHost, key: string): Promise<string> =>
  sh(host, `cat /proc/sys/net/${key}`);

/** Writes a setting of net-vm below /proc/sys/net. */
export const setSysctl = (host: SimHost, key: string, value: string | number): Promise<string> =>
  sh(host, `echo ${value} >/proc/sys/net/${key}`);
