/** However the two ends of a link come and go, they find each other again. */
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { stores } from '../native/domains.ts';
import { type Agent, makeAgent } from '../rig/sim/agent.ts';
import { ask, done, linkTo, makePair, makeVm, peerIs, services, startHost } from './vms.ts';

/** Both ends being up. */
const healsMs = 1_000;

/** Makes a call that must work, within a second of now. */
const reach = async (client: Agent): Promise<void> => {
  const mux = await linkTo(client);
  const start = performance.now();
  const { outcome } = await ask(mux, { target: 'sa-vm', service: 'cat', argument: '' });
  expect(outcome).toEqual({ kind: 'exited', status: 0 });
  expect(performance.now() - start).toBeLessThan(healsMs);
  mux.close(done);
};

test.each(stores)('either end may start first, and be killed at any time (%s)', async (store) => {
  const host = await startHost({ store });
  const { server, client } = await makePair(host);
  await client.start();
  await server.start();
  await reach(client);
  for (const end of [server, client, server]) {
    await end.signal('SIGKILL');
    await end.start();
    await reach(client);
  }
  await Promise.all([server.signal('SIGTERM'), client.signal('SIGTERM')]);
  for (const { domid } of [server, client]) {
    const left = [...(await host.dom0.tree(`/local/domain/${domid}/data`)).keys()];
    expect(left.filter((path) => /\d/.test(path))).toEqual([]);
  }
  await server.start();
  await client.start();
  await reach(client);
});

test.each(stores)('a VM that dies is noticed, and found again by its name (%s)', async (store) => {
  const host = await startHost({ store });
  const { server, client } = await makePair(host);
  await Promise.all([server.start(), client.start()]);
  await reach(client);

  // Nothing but xenstore tells of a domain's death: the vchan says for ever that its peer is there.
  await host.destroy('workload-vm');
  await peerIs(server, 'workload-vm', 'waiting', healsMs);
  const again = makeAgent(
    host,
    { name: 'workload-vm', domid: await host.create({ name: 'workload-vm' }) },
    { connect: ['sa-vm'] },
  );
  await again.start();
  await reach(again);

  await host.destroy('sa-vm');
  await peerIs(again, 'sa-vm', 'waiting', healsMs);
  const sa = await makeVm(host, 'sa-vm', {
    serve: ['workload-vm'],
    policy: ['* * workload-vm sa-vm allow'],
    services,
  });
  await sa.start();
  await reach(again);
});

test('VMs that dom0 never heard to be a pair are one at run time', async () => {
  const host = await startHost();
  const server = await makeVm(host, 'sa-vm', {
    serve: ['*'],
    policy: ['* * workload-vm sa-vm allow'],
    services,
  });
  const client = await makeVm(host, 'workload-vm', {});
  await Promise.all([server.start(), client.start()]);
  await reach(client);
  // What has no name in dom0's map is nobody.
  await host.dom0.remove('/ipc/domain-map/workload-vm');
  await peerIs(server, 'workload-vm', undefined, healsMs);
});

test('an offer stands where dom0 wants it, and leaves what dom0 made', async () => {
  const host = await startHost();
  const { server, client } = await makePair(host);
  const place = `/local/domain/${server.domid}/ipc/direct/${client.domid}`;
  await host.dom0.write(place, '');
  await host.dom0.setPermissions(place, [
    { domid: server.domid, read: false, write: false },
    { domid: client.domid, read: true, write: false },
  ]);
  await Promise.all([server.start(), client.start()]);
  await reach(client);
  expect(await host.dom0.list(place)).toEqual(
    expect.arrayContaining(['ring-ref', 'event-channel', 'session']),
  );
  await server.signal('SIGTERM');
  expect(await host.dom0.list(place)).toEqual([]);
});

test('a name that is another domain ends the link, before that one can call by it', async () => {
  const host = await startHost();
  const { server, client } = await makePair(host);
  const other = await makeVm(host, 'mgmt-vm', { connect: ['sa-vm'] });
  await Promise.all([server.start(), client.start(), other.start()]);
  await reach(client);
  await host.dom0.write('/ipc/domain-map/workload-vm', `${other.domid}`);
  await peerIs(server, 'workload-vm', 'up', healsMs, other.domid);
  // The domain has two names now, of which only one is served: for that one it may speak.
  await reach(other);
  const mux = await linkTo(client);
  const call = mux.open({ target: 'sa-vm', service: 'cat', argument: '' });
  const settled = await Promise.race([call.outcome, delay(500, 'no link' as const)]);
  expect(settled).toBe('no link');
});

test('a name that comes late is found', async () => {
  const host = await startHost();
  const { server, client } = await makePair(host);
  await host.dom0.remove('/ipc/domain-map/sa-vm');
  await Promise.all([server.start(), client.start()]);
  await peerIs(client, 'sa-vm', 'unknown', healsMs);
  await host.dom0.write('/ipc/domain-map/sa-vm', `${server.domid}`);
  await reach(client);
});
