/** One way for a process with a connection to end, or not; prints what happened on the way. */
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { loadNative } from '../../../src/xen/native.ts';
import { openXenstore } from '../../../src/xen/xenstore.ts';

const [ending = '', store = ''] = process.argv.slice(2);
const seen: string[] = [];
const see = (what: string): void => {
  seen.push(what);
};
process.on('exit', () => console.log(JSON.stringify(seen)));
const hang = () => process.kill(Number(store), 'SIGSTOP');

const ways: Record<string, () => Promise<void>> = {
  'nothing is due': async () => {
    const xenstore = openXenstore();
    see(await xenstore.read('domid'));
  },
  'the watch has ended': async () => {
    const subscription = openXenstore()
      .watch('data')
      .subscribe((path) => {
        see(path);
        subscription.unsubscribe();
      });
  },
  'a watch is active': async () => {
    await new Promise<void>((resolve) => {
      openXenstore()
        .watch('data')
        .subscribe((path) => resolve(see(path)));
    });
    // Does not keep the process alive itself: with nothing else due, it would end before.
    setTimeout(() => {
      see('alive');
      process.exit();
    }, 50).unref();
  },
  'requests pend for ever': async () => {
    const xenstore = openXenstore();
    await new Promise<void>((resolve) => {
      xenstore.watch('data').subscribe((path) => resolve(see(path)));
    });
    hang();
    for (let i = 0; i < 100; i++) xenstore.read('domid').then(see, see);
    // The loop turns, and no request gets an answer meanwhile.
    for (let i = 0; i < 3; i++) await delay(20).then(() => see('alive'));
    process.exit();
  },
  'closed, with a request that pends for ever': async () => {
    const xenstore = openXenstore();
    see(await xenstore.read('domid'));
    hang();
    const pending = [xenstore.read('domid'), xenstore.list('data')];
    // Time for the first to be under way.
    await delay(20);
    xenstore.close();
    for (const result of pending) await result.catch((error) => see(error.message));
  },
  'a callback throws': async () => {
    const { Xenstore } = loadNative();
    const native = new Xenstore();
    native.watch('data', (_, path) => {
      throw new Error(`thrown at ${path}`);
    });
    const caught = async () => {
      const [error] = await once(process, 'uncaughtException');
      see(error.message);
    };
    await caught();
    await Promise.all([caught(), native.write('data/x', 0, '')]);
    see(await native.read('domid', 0));
    native.close();
  },
};
await ways[ending]?.();
