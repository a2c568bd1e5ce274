/**
 * The source name of relayed calls, when VM names and the configured relay change while calls are under way.
 */
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { makeThree, startLinked } from './relay-vms.ts';
import { ask, linkTo, startHost } from './vms.ts';

const cat = { target: 'sa-vm', service: 'cat', argument: '' };

const start = async () => {
  const host = await startHost();
  const vms = await makeThree(host);
  await startLinked(vms.relay, vms.sa, vms.client);
  const mux = await linkTo(vms.client);
  const running = mux.open(cat);
  running.stdin.write('x');
  await once(running.stdout, 'data');
  return { host, ...vms, mux, running };
};

test('new calls vouched for by a former relay are denied, and running ones go on', async () => {
  const { sa, mux, running } = await start();
  for (const relay of [undefined, 'key-vm']) {
    const before = sa.log().match(/does not accept calls relayed by mgmt-vm/g)?.length ?? 0;
    sa.reload({ connect: ['mgmt-vm'], ...(relay === undefined ? {} : { relay }) });
    await expect
      .poll(() => sa.log().match(/the configuration is in force/g)?.length)
      .toBe(before + 1);
    expect((await ask(mux, cat)).outcome).toMatchObject({ refusal: { code: 'denied' } });
    expect(sa.log().match(/does not accept calls relayed by mgmt-vm/g)).toHaveLength(before + 1);
  }
  running.stdin.end();
  running.stdout.resume();
  expect(await running.outcome).toEqual({ kind: 'exited', status: 0 });
});

test('a source that dom0 renames loses its running calls, and its new calls have the new name', async () => {
  const { host, sa, client, mux, running } = await start();
  await host.dom0.remove('/ipc/domain-map/workload-vm');
  await host.dom0.write('/ipc/domain-map/other-vm', `${client.domid}`);
  await host.dom0.setPermissions('/ipc/domain-map/other-vm', [
    { domid: 0, read: true, write: false },
  ]);
  expect(await running.outcome).toEqual({ kind: 'exited', status: 125 });
  expect((await ask(mux, cat, 'new')).outcome).toEqual({ kind: 'exited', status: 0 });
  await expect.poll(() => sa.log()).toMatch(/"from":"workload-vm".*"cancelled":true/);
  const sources = [...sa.log().matchAll(/"from":"([^"]+)".*"verdict"/g)].map(([, from]) => from);
  expect(sources).toEqual(['workload-vm', 'other-vm']);
});
