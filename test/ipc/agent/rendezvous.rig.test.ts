/** The two ends of a link find each other again, in any order of starts, stops and deaths. */
import { setTimeout as delay } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import {
  linkRequestPath,
  newNonce,
  ownPath,
  writeLinkRequest,
} from '../../../src/ipc/agent/rendezvous.ts';
import { stores } from '../../native/domains.ts';
import { type Agent, makeAgent } from '../../rig/sim/agent.ts';
import { readNode } from '../../rig/sim/node-state.ts';
import { domidOf } from '../../support/domid.ts';
import { openBound, slowness } from '../../support/slowness.ts';
import {
  ask,
  done,
  linkTo,
  makePair,
  makeVm,
  peerIs,
  peersBecome,
  services,
  startHost,
} from './vms.ts';

/** Time in ms for a call over a new link when both agents run. */
const bound = await openBound(1_000);

const cat = { target: 'sa-vm', service: 'cat', argument: '' };

/** Makes a call that must succeed within the bound from now. */
const reach = async (client: Agent): Promise<void> => {
  const from = performance.now();
  const mux = await linkTo(client);
  const { outcome } = await ask(mux, cat);
  const took = performance.now() - from;
  expect(outcome).toEqual({ kind: 'exited', status: 0 });
  mux.close(done);
  await bound.assertKept(took, 'a call over a new link');
};

test.each(stores)('the ends link again whichever starts first or is killed (%s)', async (store) => {
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
  /** The agent's xenstore nodes that name another domain in their path. */
  const nodesOf = async ({ domid }: Agent): Promise<readonly string[]> => {
    const paths = [...(await host.dom0.tree(`/local/domain/${domid}/data`)).keys()];
    return paths.filter((path) => /\d/.test(path));
  };
  const ends = [server, client];
  for (const end of ends) expect(await nodesOf(end)).not.toEqual([]);
  await Promise.all(ends.map((end) => end.signal('SIGTERM')));
  for (const end of ends) expect(await nodesOf(end)).toEqual([]);
  await server.start();
  await client.start();
  await reach(client);
});

test.each(stores)(
  'a VM that dies is noticed, and its name finds the new one (%s)',
  async (store) => {
    const host = await startHost({ store });
    const { server, client } = await makePair(host);
    await Promise.all([server.start(), client.start()]);
    await reach(client);

    // Only xenstore reports a domain's death: the vchan shows its peer as connected for ever.
    await host.destroy('workload-vm');
    await peerIs(server, 'workload-vm', 'waiting');
    const again = makeAgent(
      host,
      { name: 'workload-vm', domid: await host.create({ name: 'workload-vm' }) },
      { connect: ['sa-vm'] },
    );
    await again.start();
    await reach(again);

    await host.destroy('sa-vm');
    await peerIs(again, 'sa-vm', 'waiting');
    const sa = await makeVm(host, 'sa-vm', {
      serve: ['workload-vm'],
      policy: ['* * workload-vm sa-vm allow'],
      services,
    });
    await sa.start();
    await reach(again);
  },
);

test('VMs that dom0 did not configure as a pair link at run time', async () => {
  const host = await startHost();
  const server = await makeVm(host, 'sa-vm', {
    serve: ['*'],
    policy: ['* * workload-vm sa-vm allow'],
    services,
  });
  const client = await makeVm(host, 'workload-vm', {});
  await Promise.all([server.start(), client.start()]);
  await reach(client);
  await peerIs(server, 'workload-vm', 'up');
  // A domain without a name in dom0's domain map is not listed as a peer.
  await host.dom0.remove('/ipc/domain-map/workload-vm');
  await peerIs(server, 'workload-vm', undefined);
});

test("a server writes its offer into dom0's directory, and does not remove the directory", async () => {
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

test('an agent that stops removes its own xenstore nodes and no others of its VM', async () => {
  const host = await startHost();
  const { server, client } = await makePair(host);
  const ready = `/local/domain/${server.domid}/data/vifwatch/ready`;
  const store = host.sim.open(server.domid);
  onTestFinished(() => store.close());
  await store.write(ready, 'ready');
  await server.start();
  const offered = `${ownPath({ server: server.domid, client: client.domid })}/session`;
  await expect.poll(() => readNode(store, offered)).toBe('');
  await server.signal('SIGTERM');
  expect(await host.dom0.list(`/local/domain/${server.domid}/data/vifwatch`)).toEqual(['ready']);
  expect(await store.read(ready)).toBe('ready');
});

test('a domain with two names gets no link, and links again when it has one name only', async () => {
  const host = await startHost();
  const { server, client } = await makePair(host);
  const other = await makeVm(host, 'mgmt-vm', { connect: ['sa-vm'] });
  await Promise.all([server.start(), client.start(), other.start()]);
  await reach(client);
  await host.dom0.write('/ipc/domain-map/workload-vm', `${other.domid}`);
  await peerIs(server, 'workload-vm', 'ambiguous');
  // A link would come up within this time if it were not forbidden.
  const waitMs = 300 * (await slowness());
  const calls = [client, other].map(async (vm) => {
    const call = ask(await linkTo(vm), cat);
    return await Promise.race([call, delay(waitMs, 'no link' as const)]);
  });
  expect(await Promise.all(calls)).toEqual(['no link', 'no link']);
  await host.dom0.remove('/ipc/domain-map/mgmt-vm');
  await peersBecome(server, 'the link with the other domain is up', ({ peers }) =>
    peers.some(({ domid, state }) => domid === other.domid && state === 'up'),
  );
  await reach(other);
});

test('a client that requests a link repeatedly gets the same ring page each time', async () => {
  const host = await startHost();
  const { server } = await makePair(host);
  await server.start();
  const domid = (await host.dom0.read('/ipc/domain-map/workload-vm')) ?? '';
  const store = host.sim.open(Number(domid));
  onTestFinished(() => store.close());
  const pair = { server: server.domid, client: domidOf(domid) };
  const session = () => readNode(store, `${ownPath(pair)}/session`);
  const refs = new Set<string>();
  for (let round = 0; round < 5; round += 1) {
    const nonce = newNonce();
    await writeLinkRequest(store, pair, nonce);
    await expect.poll(session).toBe(nonce);
    refs.add(await store.read(`${ownPath(pair)}/ring-ref`));
    await store.remove(linkRequestPath(pair));
    await expect.poll(session).toBe('');
  }
  expect(refs.size).toBe(1);
});

test('the agent finds a name that dom0 writes late', async () => {
  const host = await startHost();
  const { server, client } = await makePair(host);
  await host.dom0.remove('/ipc/domain-map/sa-vm');
  await Promise.all([server.start(), client.start()]);
  await peerIs(client, 'sa-vm', 'unknown');
  await host.dom0.write('/ipc/domain-map/sa-vm', `${server.domid}`);
  await reach(client);
});
