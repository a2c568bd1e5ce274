/**
 * Vchans with a hostile program in this domain as the other end, as client and as server. Prints the
 * failures.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { publishOffer, readOffer } from '../../../src/ipc/vchan/nodes.ts';
import { joinVchan, openVchanServer } from '../../../src/ipc/vchan/vchan.ts';
import type { VchanError } from '../../../src/ipc/vchan/vchan-error.ts';
import { openXenstore } from '../../../src/xen/xenstore.ts';
import { domidOf } from '../../support/domid.ts';

const [domid = '', program = ''] = process.argv.slice(2);
const own = domidOf(domid);
const path = `/local/domain/${own}/data/vchan`;
const store = openXenstore();
const failures: string[] = [];

/** Starts the peer program without the leak sanitizer, which is to examine this end only. */
const startPeer = (...args: readonly string[]): ChildProcess =>
  spawn(program, args, {
    env: { ...process.env, ASAN_OPTIONS: 'detect_leaks=0' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });

const ready = async ({ stdout }: ChildProcess): Promise<void> => {
  if (stdout) await once(stdout, 'data');
};

const expectCorrupt = (what: string, error: unknown): void => {
  const { code } = error as VchanError;
  if (code !== 'VCHAN_CORRUPT') failures.push(`${what}: ${error}`);
};

const expectLoss = async (what: string, link: Duplex): Promise<void> => {
  const closed = new Promise((resolve) => link.once('close', resolve));
  link.once('error', () => undefined).resume();
  link.write('x');
  await closed;
  expectCorrupt(what, link.errored ?? 'closed');
};

const asServer = async (violation: string): Promise<void> => {
  const server = openVchanServer(own);
  const { connected, ...numbers } = server.offer();
  await publishOffer(store, path, { server: own, client: own }, numbers);
  const ended = once(startPeer('client', domid, path, violation), 'exit');
  await expectLoss(`client: ${violation}`, await connected);
  await ended;
  server.close();
};

const offered = async (violation: string) => {
  const peer = startPeer('server', domid, 'data/vchan', violation);
  await ready(peer);
  const { ringRef = 0, eventChannel = 0 } = (await readOffer(store, path)) ?? {};
  return { peer, join: () => joinVchan(own, ringRef, eventChannel) };
};

const asClient = async (violation: string): Promise<void> => {
  const { peer, join } = await offered(violation);
  const ended = once(peer, 'exit');
  await expectLoss(`server: ${violation}`, join());
  await ended;
};

const expectUnjoinable = async (orders: string): Promise<void> => {
  const { peer, join } = await offered(orders);
  try {
    join().destroy();
    failures.push(`${orders}: joined`);
  } catch (error) {
    expectCorrupt(orders, error);
  }
  const ended = once(peer, 'exit');
  peer.kill('SIGKILL');
  await ended;
};

for (const who of ['produce', 'consume']) {
  for (const how of ['too much', 'backwards']) {
    await asServer(`${who} ${how}`);
    await asClient(`${who} ${how}`);
  }
}
for (const orders of ['9 16', '16 21', '65535 0', '10 10', '10 20']) {
  await expectUnjoinable(`orders ${orders}`);
}
store.close();
console.log(JSON.stringify(failures));
