/** A process with a connection that ends in one of several ways; prints what it saw until then. */
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

const endings: Record<string, () => Promise<void>> = {
  'no request is pending': async () => {
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
    // The timer does not keep the process alive: without the active watch the process would end earlier.
    setTimeout(() => {
      see('alive');
      process.exit();
    }, 50).unref();
  },
  'requests never get an answer': async () => {
    const xenstore = openXenstore();
    await new Promise<void>((resolve) => {
      xenstore.watch('data').subscribe((path) => resolve(see(path)));
    });
    hang();
    for (let i = 0; i < 100; i++) xenstore.read('domid').then(see, see);
    // The event loop turns, and no request gets an answer meanwhile.
    for (let i = 0; i < 3; i++) await delay(20).then(() => see('alive'));
    process.exit();
  },
  'the connection is closed while requests wait': async () => {
    const xenstore = openXenstore();
    see(await xenstore.read('domid'));
    hang();
    const pending = [xenstore.read('domid'), xenstore.list('data')];
    // After this time the first request is under way.
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
await endings[ending]?.();
