/**
 * Runs many short sessions between two domains: `short-sessions.ts <own domid> <peer's domid> <count>`. It
 * starts itself as the peer. In each session one end writes and closes, and the other reads. Prints the
 * number of sessions in which bytes were lost.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { joinVchan, openVchanServer } from '../../../../src/ipc/vchan/vchan.ts';
import { domidOf } from '../../../support/domid.ts';

type Session = { readonly ringRef: number; readonly eventChannel: number; readonly number: number };

const [own = '', peerArgument = '', count = ''] = process.argv.slice(2);
const peer = domidOf(peerArgument);

/**
 * A session's content: mostly short, sometimes larger than the ring. Each word depends on its session and
 * offset.
 */
const contentOf = (number: number): Buffer => {
  const size = Math.floor(256 * 1024 * (((number * 7919) % 1000) / 1000) ** 4);
  const content = Buffer.alloc(size);
  for (let at = 0; at + 4 <= size; at += 4) content.writeUInt32LE(at + number, at);
  return content;
};

const runServer = async (): Promise<void> => {
  const env = { ...process.env, SIMXEN_DOMID: `${peer}` };
  const client = fork(process.argv[1] ?? '', [`${peer}`, `${own}`, '0'], { env });
  const server = openVchanServer(peer);
  let failed = 0;
  for (let number = 0; number < Number(count); number++) {
    const { ringRef, eventChannel, connected } = server.offer();
    const clientDone = once(client, 'message');
    client.send({ ringRef, eventChannel, number } satisfies Session);
    const arrived = await use(await connected, number, number % 2 === 0);
    const [arrivedThere] = await clientDone;
    if (!arrived || !arrivedThere) failed += 1;
  }
  client.disconnect();
  server.close();
  console.log(JSON.stringify(failed));
};

const use = async (link: Duplex, number: number, isWriter: boolean): Promise<boolean> => {
  const content = contentOf(number);
  const parts: Buffer[] = [];
  link.on('data', (part: Buffer) => parts.push(part));
  if (isWriter) link.end(content);
  await once(link, 'close');
  return isWriter || Buffer.concat(parts).equals(content);
};

if (process.send) {
  process.on('message', async ({ ringRef, eventChannel, number }: Session) => {
    const arrived = await use(joinVchan(peer, ringRef, eventChannel), number, number % 2 === 1);
    process.send?.(arrived);
  });
} else {
  await runServer();
}
