/**
 * Vchans with both ends in this process, which are closed in every way; then workers that are terminated with
 * an open vchan. Prints the failures.
 */
import { once } from 'node:events';
import { pipeline } from 'node:stream/promises';
import { isMainThread, Worker } from 'node:worker_threads';
import { joinVchan, openVchanServer } from '../../../src/ipc/vchan/vchan.ts';
import { loadNative } from '../../../src/xen/native.ts';
import { domidOf } from '../../support/domid.ts';
import { work } from './vchan-worker.ts';

// Its workers have no arguments, and need no domid.
const own = domidOf(process.argv[2] ?? '0');
const failures: string[] = [];
const expectFailure = (call: () => unknown): void => {
  try {
    call();
    failures.push(`${call} has not failed`);
  } catch {
    // the expected failure
  }
};

/** Sends 1 MiB there and back, and then ends the session from one side or from both. */
const session = async (round: number): Promise<void> => {
  const sizes = [
    { left: 65536, right: 65536 },
    { left: 1024, right: 2048 },
    { left: 2048, right: 8192 },
  ][round % 3];
  const server = openVchanServer(own, sizes);
  const { ringRef, eventChannel, connected } = server.offer();
  const client = joinVchan(own, ringRef, eventChannel);
  const accepted = await connected;
  const echo = pipeline(accepted, accepted).catch(() => undefined);
  client.write(Buffer.alloc(1 << 20, round));
  let received = 0;
  for await (const part of client) {
    received += part.length;
    if (received === 1 << 20) break;
  }
  if (received !== 1 << 20) failures.push(`${received} bytes came back`);
  if (round % 2 === 0) server.offer();
  client.destroy();
  if (round % 4 < 3) server.close();
  await echo;
  server.close();
};

const misuseNative = (): void => {
  const { Vchan, VchanServer, Xenstore, peerCredentials } = loadNative();
  const pages = new VchanServer(own, 4096, 4096);
  const vchan = new Vchan(() => undefined, pages);
  for (const wrong of [undefined, 7, {}, 'x', Symbol('wrong')] as never[]) {
    expectFailure(() => new Vchan(wrong, own, 1, 1));
    expectFailure(() => new Vchan(() => undefined, wrong));
    expectFailure(() => vchan.write(wrong));
    expectFailure(() => peerCredentials(wrong));
  }
  expectFailure(() => new Vchan(() => undefined, pages));
  expectFailure(() => new Vchan(() => undefined, new Xenstore() as never));
  vchan.close();
  vchan.close();
  pages.close();
  expectFailure(() => new Vchan(() => undefined, pages));
  if (vchan.read(new Uint8Array(1), true) !== -1) failures.push('a closed vchan reads');
};

const main = async (): Promise<void> => {
  for (let round = 0; round < 12; round++) await session(round);
  misuseNative();
  globalThis.gc?.();
  for (let round = 0; round < 2; round++) {
    const worker = new Worker(new URL(import.meta.url), { workerData: own });
    await once(worker, 'message');
    await worker.terminate();
  }
  console.log(JSON.stringify(failures));
};

await (isMainThread ? main() : work());
