/** Vchans between two of vifwatch's ends, and between one of them and libxenvchan, in both roles. */
import { createHash, randomBytes } from 'node:crypto';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { publishOffer, readOffer } from '../../../src/ipc/vchan/nodes.ts';
import type { Xenstore } from '../../../src/xen/xenstore.ts';
import { until } from '../../support/until.ts';
import {
  buildPeer,
  clientDomid,
  connectAnew,
  type End,
  type Ends,
  serverDomid,
  startEnds,
  startPeer,
} from './ends.ts';

const path = `/local/domain/${serverDomid}/data/vchan`;
const size = 1 << 20;
const pair = { server: serverDomid, client: clientDomid };

let ends: Ends;
beforeAll(async () => {
  await buildPeer();
  ends = await startEnds();
});
afterAll(() => ends.close());

const hashOf = (bytes: Uint8Array): string => createHash('sha1').update(bytes).digest('hex');

const publish = async (store: Xenstore, server: End, sizes?: { left: number; right: number }) => {
  await server.call('serve', clientDomid, sizes);
  await publishOffer(store, path, pair, await server.call('offer'));
};

const join = async (store: Xenstore, client: End): Promise<void> => {
  const offer = await readOffer(store, path);
  if (!offer) throw new Error(`nothing is offered at ${path}`);
  await client.call('join', serverDomid, offer.ringRef, offer.eventChannel);
};

/** Checks that `end` gets back all bytes that it writes. */
const expectEcho = async (end: End): Promise<void> => {
  const received = end.call('read', size);
  const sent = await end.call('write', size);
  expect(await received).toEqual(sent);
};

test.each([
  ['of 64 KiB', undefined],
  ['in the control page', { left: 1024, right: 2048 }],
  ['in the control page', { left: 2048, right: 100 }],
  ['of which one is in the control page', { left: 1500, right: 1500 }],
  ['of the largest size', { left: size, right: size }],
])("vifwatch's ends exchange data both ways at once, with rings %s", async (_, sizes) => {
  const { server, client } = ends;
  await connectAnew(ends, sizes);
  const received = [server.call('read', size), client.call('read', size)];
  const sent = [client.call('write', size), server.call('write', size)];
  expect(await Promise.all(received)).toEqual(await Promise.all(sent));
});

const proxy = '/usr/lib/xen-4.17/bin/vchan-socket-proxy';

/** Exchanges data both ways at once with the proxy, through its standard input and output. */
const expectProxied = async (end: End, program: ReturnType<typeof startProxy>): Promise<void> => {
  const bytes = randomBytes(size);
  const parts: Buffer[] = [];
  let length = 0;
  const received = new Promise<void>((resolve) => {
    program.stdout.on('data', (part: Buffer) => {
      parts.push(part);
      length += part.length;
      if (length >= size) resolve();
    });
  });
  program.stdin.write(bytes);
  const [read, written] = await Promise.all([
    end.call('read', size),
    end.call('write', size),
    received,
  ]);
  expect(read).toEqual({ length: size, hash: hashOf(bytes) });
  expect(hashOf(Buffer.concat(parts))).toBe(written.hash);
};

const startProxy = (env: Record<string, string>, args: readonly string[]) =>
  execa(proxy, [...args, '-'], { env, encoding: 'buffer', reject: false });

test('a vchan-socket-proxy as the client exchanges data with the server end', async () => {
  const { server, open, env } = ends;
  await publish(open(serverDomid), server, { left: 10, right: 10 });
  const program = startProxy(env({ domid: clientDomid, hypercalls: true }), [
    '--mode=client',
    `${serverDomid}`,
    path,
  ]);
  await expectProxied(server, program);
  program.stdin.end();
  expect((await program).exitCode).toBe(0);
  await server.call('resume');
  await expect
    .poll(async () => (await server.call('events')).map(({ what }) => what))
    .toEqual(['end', 'close']);
});

test('a vchan-socket-proxy as the server exchanges data with the client end', async () => {
  const { client, open, env } = ends;
  const store = open(clientDomid);
  await open(serverDomid).remove(path);
  const program = startProxy(env({ domid: serverDomid, hypercalls: true }), [
    '--mode=server',
    `${clientDomid}`,
    'data/vchan',
  ]);
  await until(
    'the proxy offers its vchan',
    async () => (await readOffer(store, path)) !== undefined,
  );
  await join(store, client);
  await expectProxied(client, program);
  await client.call('end');
  expect((await program).exitCode).toBe(0);
});

test.each([
  [65536, 65536],
  [4096, 1000],
])(
  'a libxenvchan client and server echo all data, with rings of %i and %i bytes',
  async (left, right) => {
    const { server, client, open, env } = ends;
    const start = (domid: number, args: readonly string[]) =>
      startPeer(env({ domid, hypercalls: true }), args);
    await publish(open(serverDomid), server, { left, right });
    const stockClient = await start(clientDomid, ['client', `${serverDomid}`, path, 'echo']);
    await expectEcho(server);
    await server.call('end');
    expect((await stockClient.ended).exitCode).toBe(0);

    const args = ['server', `${clientDomid}`, 'data/vchan', 'echo', `${left}`, `${right}`];
    const stockServer = await start(serverDomid, args);
    await join(open(clientDomid), client);
    await expectEcho(client);
    await client.call('end');
    expect((await stockServer.ended).exitCode).toBe(0);
  },
);

test('only its peer can read an offer', async () => {
  const { open } = ends;
  const [own, peer] = [open(serverDomid), open(clientDomid)];
  const offer = { ringRef: 8, eventChannel: 9 };
  await publishOffer(own, path, pair, offer, { session: 'x' });
  expect(await readOffer(peer, path)).toEqual(offer);
  expect(await peer.read(`${path}/session`)).toBe('x');
  for (const name of ['ring-ref', 'event-channel', 'session']) {
    expect(await open(0).getPermissions(`${path}/${name}`)).toEqual([
      { domid: serverDomid, read: false, write: false },
      { domid: clientDomid, read: true, write: false },
    ]);
  }
  await own.remove(path);
  expect(await readOffer(peer, path)).toBeUndefined();
});
