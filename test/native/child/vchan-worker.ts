/** A worker that exchanges data over a vchan, and never ends by itself. */
import { parentPort, workerData } from 'node:worker_threads';
import { joinVchan, openVchanServer } from '../../../src/ipc/vchan/vchan.ts';

/** Echoes data between both ends of a vchan without end; posts `busy` when data flows. */
export const work = async (): Promise<void> => {
  const { ringRef, eventChannel, connected } = openVchanServer(workerData).offer();
  const client = joinVchan(workerData, ringRef, eventChannel);
  const accepted = await connected;
  accepted.pipe(accepted);
  let left = 100;
  client.on('data', (part) => {
    left -= 1;
    if (left === 0) parentPort?.postMessage('busy');
    client.write(part);
  });
  client.write(Buffer.alloc(300_000));
};
