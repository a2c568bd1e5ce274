/** However the two ends of a link come and go, they find each other again. */
import { setTimeout as delay } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { knockPath, newNonce, ownPath, writeKnock } from '../../src/agent/rendezvous.ts';
import { stores } from '../native/domains.ts';
import { type Agent, makeAgent } from '../rig/sim/agent.ts';
import { nodeBecomes } from '../rig/sim/node-state.ts';
import { slowness } from '../support/slowness.ts';
import { ask, done, linkTo, makePair, makeVm, peerIs, services, startHost } from './vms.ts';

/** Both ends being up. */
const healsMs = 1_000 * (await slowness());

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

test('an agent takes away what is its own, and nothing else of its VM', async () => {
  const host = await startHost();
  const { server, client } = await makePair(host);
  const ready = `/local/domain/${server.domid}/data/vifwatch/ready`;
  const store = host.sim.open(server.domid);
  onTestFinished(() => store.close());
  await store.write(ready, 'ready');
  await server.start();
  const offered = `${ownPath({ server: server.domid, client: client.domid })}/session`;
  await nodeBecomes(store, offered, (value) => value === '', 5);
  await server.signal('SIGTERM');
  expect(await host.dom0.list(`/local/domain/${server.domid}/data/vifwatch`)).toEqual(['ready']);
  expect(await store.read(ready)).toBe('ready');
});

test('a domain with two names is nobody, and one that takes over a name is that one', async () => {
  const host = await startHost();
  const { server, client } = await makePair(host);
  const other = await makeVm(host, 'mgmt-vm', { connect: ['sa-vm'] });
  await Promise.all([server.start(), client.start(), other.start()]);
  await reach(client);
  await host.dom0.write('/ipc/domain-map/workload-vm', `${other.domid}`);
  await peerIs(server, 'workload-vm', 'ambiguous', healsMs);
  for (const vm of [client, other]) {
    const mux = await linkTo(vm);
    const call = mux.open({ target: 'sa-vm', service: 'cat', argument: '' });
    expect(await Promise.race([call.outcome, delay(300, 'no link' as const)])).toBe('no link');
  }
  await host.dom0.remove('/ipc/domain-map/mgmt-vm');
  await peerIs(server, 'workload-vm', 'up', healsMs, other.domid);
  await reach(other);
});

test('a client that knocks again and again gets the same pages each time', async () => {
  const host = await startHost();
  const { server } = await makePair(host);
  await server.start();
  const domid = (await host.dom0.read('/ipc/domain-map/workload-vm')) ?? '';
  const store = host.sim.open(Number(domid));
  onTestFinished(() => store.close());
  const pair = { server: server.domid, client: Number(domid) };
  const refs = new Set<string>();
  for (let round = 0; round < 5; round += 1) {
    const nonce = newNonce();
    await writeKnock(store, pair, nonce);
    await nodeBecomes(store, `${ownPath(pair)}/session`, (value) => value === nonce, 5);
    refs.add(await store.read(`${ownPath(pair)}/ring-ref`));
    await store.remove(knockPath(pair));
    await nodeBecomes(store, `${ownPath(pair)}/session`, (value) => value === '', 5);
  }
  expect(refs.size).toBe(1);
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
