/** A worker that uses a connection, reports that to the main thread, and never ends by itself. */
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
    // After this time the first request is under way.
    setTimeout(say, 50, 'pending');
    await pending;
  },
};

/** Runs the task that the worker data names, and never ends. */
export const work = async (): Promise<void> => {
  await tasks[workerData]?.(openXenstore());
  await new Promise(() => setInterval(() => {}, 1000));
};
