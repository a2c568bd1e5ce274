/** The audit's findings in net-vm, and its answers when its input is hostile or unreachable. */
import { expect, onTestFinished, test } from 'vitest';
import { startHost } from '../../ipc/agent/vms.ts';
import { removeNode } from '../../rig/sim/node-state.ts';
import { startSimHost } from '../../rig/sim/sim-host.ts';
import { writeVif } from '../../rig/sim/toolstack.ts';
import { findingsOf, permissions, plainPlace, runAudit } from './vms.ts';

test('the audit of net-vm reports a vif of dom0, and vifs without a running daemon', async () => {
  const host = await startHost();
  const { sim, dom0, netVm } = host;
  const place = { domid: netVm, etc: sim.directory, runtime: `${sim.directory}/vifwatch` };
  const found = async (): Promise<readonly string[]> =>
    (await findingsOf(host, place)).map(({ code, what }) => `${code}: ${what}`);
  await host.startDaemon();
  await host.create({ name: 'sa-vm', vif: { mac: '00:16:3e:05:00:01', ip: '10.0.5.101' } });
  expect(await found()).toEqual([]);

  await writeVif(dom0, { guest: 0, backend: netVm, devid: 0 }, { state: '1' });
  expect(await found()).toEqual([
    expect.stringMatching(/^VIF_FRONTEND_DOM0: this VM is the backend of a vif of dom0/),
  ]);
  await removeNode(dom0, `/local/domain/${netVm}/backend/vif/0`);
  await host.signalDaemon('SIGTERM');
  expect(await found()).toEqual([
    'DAEMON_ABSENT: vifwatch run does not answer, but this VM is the backend of 1 vif',
  ]);
});

test('hostile node values and kernel parameters add no line and no escape sequence to the output', async () => {
  const host = await startHost();
  const domid = await host.create({ name: 'sa-vm' });
  const own = host.sim.open(domid);
  onTestFinished(() => own.close());
  // The rig's netfront would follow the forged backend path.
  await host.actors.pause(domid);
  const home = `/local/domain/${domid}`;
  const value = '/local/domain/0/\nMAP_WRONG  forged\x1b[2J\r\u0085';
  await host.dom0.write(`${home}/device/vif/5`, '');
  await host.dom0.setPermissions(`${home}/device/vif/5`, permissions(`n${domid} r2`));
  for (const node of ['device/vif/5/backend', 'device/vif/5/backend-id', 'data/vifwatch'])
    await own.write(`${home}/${node}`, value);

  const words = 'ipc_policy=\x1b]0;x\x07 ipc_x=\t=';
  const { status, stdout, stderr } = await runAudit(host, plainPlace(host, domid), words);
  expect({ status, stderr }).toEqual({ status: 1, stderr: '' });
  expect(stdout).not.toMatch(/(?!\n)\p{Cc}/u);
  const lines = stdout.trimEnd().split('\n');
  expect(lines.map((line) => line.split(' ', 1)[0])).toEqual([
    ...['CODE', 'VIF_BACKEND_DOM0', 'POLICY_DIFFERS'],
  ]);
});

test('a directory that xenstored refuses to list ends the audit with exit status 69', async () => {
  const host = await startSimHost({ store: 'oxenstored' });
  onTestFinished(() => host.close());
  const place = plainPlace(host, await host.create({ name: 'sa-vm' }));
  const own = host.sim.open(place.domid);
  onTestFinished(() => own.close());
  // oxenstored refuses directory listings above 4 KiB.
  for (let at = 0; at < 30; at += 1)
    await own.write(`data/vifwatch/knock/${at}${'x'.repeat(200)}`, '');
  const { status, stdout, stderr } = await runAudit(host, place, '');
  expect({ status, stdout }).toEqual({ status: 69, stdout: '' });
  expect(stderr).toMatch(/^vifwatch: .*E2BIG/);
});

test('the audit exits with 69 without xenstored, and in dom0', async () => {
  const host = await startHost();
  const place = plainPlace(host, await host.create({ name: 'sa-vm' }));
  const looks = async (environment: string) => {
    const { status, stdout, stderr } = await runAudit(host, place, '', [], [environment]);
    expect({ status, stdout }).toEqual({ status: 69, stdout: '' });
    return stderr;
  };
  expect(await looks('XENSTORED_PATH=/nonexistent')).toMatch(/^vifwatch: cannot talk to xenstored/);
  expect(await looks(`XENSTORED_PATH=${host.sim.directory}/socket`)).toMatch(/this is dom0/);
});
