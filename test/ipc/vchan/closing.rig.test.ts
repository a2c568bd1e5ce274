/** The ends of links, and the data that they hold until then. */
import { rmSync } from 'node:fs';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { openBound } from '../../support/slowness.ts';
import {
  bundleProgram,
  clientDomid,
  connect,
  connectAnew,
  type Ends,
  serverDomid,
  startEnds,
} from './ends.ts';

let ends: Ends;
beforeAll(async () => {
  ends = await startEnds();
});
afterAll(() => ends.close());

const kinds = async (side: 'server' | 'client') =>
  (await ends[side].call('events')).map(({ what }) => what);

test('data written before the close arrives in each of 2000 sessions', async () => {
  const program = await bundleProgram(new URL('./child/short-sessions.ts', import.meta.url));
  onTestFinished(() => rmSync(program));
  const args = [program, `${serverDomid}`, `${clientDomid}`, '2000'];
  const env = ends.env({ domid: serverDomid, hypercalls: true });
  expect((await execa(process.execPath, args, { env })).stdout).toBe('0');
});

/** Milliseconds from the kill of one end to the close of the other. */
const closeAfterKill = async (side: 'server' | 'client'): Promise<number> => {
  const victim = ends.start(side === 'server' ? serverDomid : clientDomid);
  const pair = { server: ends.server, client: ends.client, [side]: victim };
  const other = side === 'server' ? ends.client : ends.server;
  await connectAnew(pair);
  // This session reuses the previous session's pages.
  await connect(pair);
  await other.call('resume');
  const killed = Number(process.hrtime.bigint()) / 1e6;
  await victim.kill();
  const eventKinds = async () => (await other.call('events')).map(({ what }) => what);
  await expect.poll(eventKinds).toEqual(['end', 'close']);
  const [, closed] = await other.call('events');
  return (closed?.at ?? Number.NaN) - killed;
};

test.each(['server', 'client'] as const)(
  'the other end notices at once that the %s was killed',
  async (side) => {
    const bound = await openBound(100);
    const times: number[] = [];
    for (let round = 0; round < 3; round += 1) times.push(await closeAfterKill(side));
    const [, median = Number.NaN] = times.sort((a, b) => a - b);
    await bound.assertKept(median, 'ms until the close');
  },
);

test('a second client is refused, during the session and after it', async () => {
  const { server, client } = ends;
  await server.call('serve', clientDomid);
  const { ringRef, eventChannel } = await server.call('offer');
  await client.call('join', serverDomid, ringRef, eventChannel);
  await server.call('connected');
  const refused = { code: 'VCHAN_REFUSED' };
  const stranger = ends.start(clientDomid);
  const again = () => stranger.call('join', serverDomid, ringRef, eventChannel);
  await expect(again()).rejects.toMatchObject(refused);
  await client.call('destroy');
  await server.call('offer');
  await expect(again()).rejects.toMatchObject(refused);
  await server.call('close');
  await expect(again()).rejects.toMatchObject(refused);
  await expect(server.call('connected')).rejects.toMatchObject({ code: 'VCHAN_CLOSED' });
  await expect(server.call('offer')).rejects.toMatchObject({ code: 'EBADF' });
});

test('a new offer keeps the pages and ends the previous session', async () => {
  const { server, client } = ends;
  await server.call('serve', clientDomid);
  const first = await server.call('offer');
  await client.call('join', serverDomid, first.ringRef, first.eventChannel);
  await server.call('connected');
  await client.call('resume');
  const second = await server.call('offer');
  expect(second.ringRef).toBe(first.ringRef);
  expect(second.eventChannel).not.toBe(first.eventChannel);
  await expect.poll(() => kinds('client')).toEqual(['end', 'close']);
});

test('a writer waits for its reader, and buffers only up to its high-water mark', async () => {
  const { server, client } = ends;
  await connectAnew(ends);
  const memory = await client.call('memory');
  const { taken, waiting } = await client.call('fill');
  expect(waiting).toBeLessThanOrEqual(64 * 1024);
  // The data is in the ring, the writer's buffer and the reader's buffer.
  expect(taken).toBeLessThanOrEqual(4 * 64 * 1024);
  expect((await client.call('memory')) - memory).toBeLessThan(20e6);
  expect((await server.call('read', taken)).length).toBe(taken);
  await client.call('end');
  await server.call('resume');
  await expect.poll(() => kinds('server')).toEqual(['end', 'close']);
});

test('a write that is unfinished at the close fails', async () => {
  const { client } = ends;
  await connectAnew(ends);
  const written = client.call('write', 1 << 20);
  await client.call('destroy');
  await expect(written).rejects.toMatchObject({ code: 'VCHAN_CLOSED' });
  expect(await kinds('client')).toEqual(['close']);
});
