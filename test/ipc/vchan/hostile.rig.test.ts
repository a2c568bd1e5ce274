/** Peers that use libxenvchan and corrupt the shared ring. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { publishOffer, readOffer } from '../../../src/ipc/vchan/nodes.ts';
import { until } from '../../support/until.ts';
import {
  buildPeer,
  clientDomid,
  connectAnew,
  type Ends,
  serverDomid,
  startEnds,
  startPeer,
} from './ends.ts';

let ends: Ends;
beforeAll(async () => {
  await buildPeer();
  ends = await startEnds();
});
afterAll(() => ends.close());

const path = `/local/domain/${serverDomid}/data/vchan`;
const pair = { server: serverDomid, client: clientDomid };

/** Starts a peer as a client that does `violation` as soon as it has connected to the server end. */
const startClient = async (violation: string) => {
  const { server, open, env } = ends;
  await server.call('serve', clientDomid);
  await publishOffer(open(serverDomid), path, pair, await server.call('offer'));
  const environment = env({ domid: clientDomid, hypercalls: true });
  return startPeer(environment, ['client', `${serverDomid}`, path, violation]);
};

/** Starts a peer as a server that does `violation`, and joins it with the client end. */
const joinServer = async (violation: string) => {
  const { client, open, env } = ends;
  const environment = env({ domid: serverDomid, hypercalls: true });
  const peer = await startPeer(environment, ['server', `${clientDomid}`, 'data/vchan', violation]);
  const offer = await readOffer(open(clientDomid), path);
  const { ringRef = 0, eventChannel = 0 } = offer ?? {};
  return { peer, joined: client.call('join', serverDomid, ringRef, eventChannel) };
};

const violations = [
  'produce too much',
  'produce backwards',
  'consume too much',
  'consume backwards',
];
const corrupt = ['VCHAN_CORRUPT', 'close'];

test.each(violations)(
  'the server end closes the link with VCHAN_CORRUPT when a client tries to %s',
  async (violation) => {
    const { server } = ends;
    const peer = await startClient(violation);
    // The server end reads, and writes, too.
    await server.call('resume');
    await server.call('write', 1).catch(() => undefined);
    const eventKinds = async () => (await server.call('events')).map(({ what }) => what);
    await expect.poll(eventKinds).toEqual(corrupt);
    await peer.ended;
    // The server still accepts a new session.
    await connectAnew(ends);
    await ends.client.call('destroy');
  },
);

test.each(violations)(
  'the client end closes the link with VCHAN_CORRUPT when a server tries to %s',
  async (violation) => {
    const { client } = ends;
    const { peer, joined } = await joinServer(violation);
    await joined;
    await client.call('resume');
    await client.call('write', 1).catch(() => undefined);
    const eventKinds = async () => (await client.call('events')).map(({ what }) => what);
    await expect.poll(eventKinds).toEqual(corrupt);
    await peer.ended;
  },
);

test.each(['orders 9 16', 'orders 16 21', 'orders 65535 0', 'orders 10 10', 'orders 10 20'])(
  'a server with impossible %s is not joined',
  async (orders) => {
    const { peer, joined } = await joinServer(orders);
    await expect(joined).rejects.toMatchObject({ code: 'VCHAN_CORRUPT' });
    await peer.end();
  },
);

test('a storm of events costs little, and the link stays open', async () => {
  const { server } = ends;
  const peer = await startClient('storm');
  await server.call('connected');
  const first = await server.call('handled');
  let last = first;
  const isLong = async (): Promise<boolean> => {
    last = await server.call('handled');
    return last.count > first.count + 60;
  };
  await until('the storm has been handled 60 times', isLong);
  // The stream handles an event and one check without an event per 10 ms. The third is a margin for timers
  // that fire early. Without its pauses the stream would handle events as fast as the machine can.
  expect((last.count - first.count) / (last.at - first.at)).toBeLessThan(3 / 10);
  const echoed = server.call('read', 1000);
  expect(await server.call('write', 1000)).toEqual(await echoed);
  await peer.end();
});
