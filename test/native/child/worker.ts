/** A worker that uses a connection, says so, and would never end by itself. */
import { once } from 'node:events';
import { parentPort, workerData } from 'node:worker_threads';
import { openXenstore, type Xenstore } from '../../../src/xen/xenstore.ts';

const say = (what: string) => parentPort?.postMessage(what);

const tasks: Record<string, (xenstore: Xenstore) => Promise<void>> = {
  watch: async (xenstore) => {
    xenstore.watch('data').subscribe(say);
  },
  storm: async (xenstore) => {
    let left = 500;
    xenstore.watch('data').subscribe(() => {
      left -= 1;
      if (left === 0) say('storm');
    });
    for (;;) {
      const writes = Array.from({ length: 100 }, (_, i) => xenstore.write(`data/${i % 7}`, ''));
      await Promise.all(writes);
    }
  },
  pending: async (xenstore) => {
    xenstore.watch('data').subscribe();
    await xenstore.read('domid');
    if (parentPort) {
      const stopped = once(parentPort, 'message');
      say('stop the store');
      await stopped;
    }
    const pending = Promise.all(Array.from({ length: 100 }, () => xenstore.read('domid')));
    // Time for the first to be under way.
    setTimeout(say, 50, 'pending');
    await pending;
  },
};

export const work = async (): Promise<void> => {
  await tasks[workerData]?.(openXenstore());
  await new Promise(() => setInterval(() => {}, 1000));
};
