/** Lines of sh in the namespaces of a rig, and waits that may fail. */
import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { status } from '../network/daemon/net-vm.ts';
import type { Probe } from '../network/daemon/probe.ts';
import type { SimHost } from '../rig/sim/sim-host.ts';
import { slowness } from '../support/slowness.ts';

/** Runs a line of sh in net-vm; it must succeed. */
export const sh = async (host: SimHost, line: string): Promise<string> => {
  const { status: exit, stdout, stderr } = await host.inNetVm(['sh', '-c', line]);
  assert.equal(exit, 0, `${line}: ${stderr}`);
  return stdout.trim();
};

/** Runs a line of sh in another namespace of the rig; it must succeed. */
export const shIn = async (host: SimHost, namespace: string, line: string): Promise<string> => {
  const argv = host.sim.inNamespace(namespace, ['sh', '-c', line]);
  const { status: exit, stdout, stderr } = await host.sim.run(argv, { domid: 0 });
  assert.equal(exit, 0, `${line}: ${stderr}`);
  return stdout.trim();
};

/** Whether the condition holds within so many milliseconds, as many times longer as this machine is slower. */
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

/** The promised second, another in which a probe sees that it is cut, and some more. */
export const patienceMs = 4_000;

/** Whether a flow is cut within the timeout; the rig's end ends the wait for it. */
export const isCutSoon = async (flow: Probe): Promise<boolean> => {
  let isCut = false;
  flow.isCut().then(
    () => {
      isCut = true;
    },
    () => {},
  );
  return await within(patienceMs, () => isCut);
};

export const sysctl = (host: SimHost, key: string): Promise<string> =>
  sh(host, `cat /proc/sys/net/${key}`);

export const setSysctl = (host: SimHost, key: string, value: string | number): Promise<string> =>
  sh(host, `echo ${value} >/proc/sys/net/${key}`);

/** Whether the status reports anything. */
export const isHealthy = async (host: SimHost): Promise<boolean> => (await status(host)).healthy;
