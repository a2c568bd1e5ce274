import assert from 'node:assert/strict';
import { killAndRestart } from '../../scenario/daemon-absence.ts';
import { assertReaches } from '../../scenario/ping.ts';
import { attach, create, destroy, detach, web } from '../../scenario/vms.ts';
import { gateway4, gateway6, type Output, outside4, outside6 } from '../host.ts';
import type { LabHost } from './lab-host.ts';

/** A VM keeps its addresses through detach, attach, daemon restarts and reboots that change its domid. */
export const vmLivesThroughEverything = async (host: LabHost): Promise<void> => {
  const first = await create(host, web);
  await assertReaches({ host, from: web }, gateway4, gateway6, outside4, outside6);
  await assertReaches({ host, from: 'net-vm' }, web.ipv4, web.ipv6);
  await detach(host, web, 0);
  await attach(host, web, first);
  await assertReaches({ host, from: web }, outside4, outside6);
  const second = await host.reboot(web.name);
  assert.notEqual(second, first);
  await killAndRestart(host);
  await assertReaches({ host, from: web }, outside4, outside6);
  await killAndRestart(host);
  assert.notEqual(await host.reboot(web.name), second);
  await assertReaches({ host, from: web }, outside4, outside6);
  await destroy(host, web);
};

const settings = '/etc/vifwatch/vifwatch.toml';

/** OpenRC reports a daemon that fails to start. */
export const brokenServiceFailsLoudly = async (host: LabHost): Promise<void> => {
  const { stdout: good } = await host.inNetVm(['cat', settings]);
  await host.signalDaemon('SIGTERM');
  await writeInNetVm(host, settings, 'gateway = "nonsense"\n');
  const { status, stdout, stderr } = await service(host, 'start');
  assert.notEqual(status, 0);
  assert.doesNotMatch(stdout, /\[ ok \]/);
  assert.match(stderr, /vifwatch died while it was starting/);
  assert.match(stderr, /CONFIG_INVALID/);
  assert.notEqual((await service(host, 'status')).status, 0);
  assert.notEqual((await host.inNetVm(['pidof', 'supervise-daemon', 'node'])).status, 0);

  await writeInNetVm(host, settings, good);
  await host.startDaemon();
  assert.match((await service(host, 'status')).stdout, /status: started/);
};

const service = (host: LabHost, verb: string): Promise<Output> =>
  host.inNetVm(['rc-service', '--nocolor', 'vifwatch', verb]);

const writeInNetVm = async (host: LabHost, path: string, text: string): Promise<void> => {
  const { status } = await host.inNetVm(['sh', '-c', 'printf %s "$2" >"$1"', 'write', path, text]);
  assert.equal(status, 0);
};
