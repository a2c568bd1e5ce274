/** A worker in the middle of a vchan's data, which would never end by itself. */
import { parentPort, workerData } from 'node:worker_threads';
import { joinVchan, openVchanServer } from '../../../src/ipc/vchan/vchan.ts';

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
