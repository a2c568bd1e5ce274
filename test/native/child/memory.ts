/** Makes many requests of each kind; prints the memory in MiB after a warm-up and at the end. */
import { firstValueFrom } from 'rxjs';
import { openXenstore } from '../../../src/xen/xenstore.ts';

const xenstore = openXenstore();
const value = 'x'.repeat(1000);
const permissions = [{ domid: 0, read: false, write: false }];

const round = async (): Promise<void> => {
  const reads = Array.from({ length: 100 }, () => xenstore.read('/big/value'));
  const others = [
    xenstore.write('/big/value', value),
    xenstore.setPermissions('/big', permissions),
    xenstore.getPermissions('/big'),
    xenstore.tree('/big'),
    xenstore.read('/none').catch(() => {}),
    xenstore.transaction((tx) => xenstore.write('/big/other', value, tx)),
    firstValueFrom(xenstore.watch('/big')),
  ];
  await Promise.all([...reads, ...others]);
};

/**
 * The memory in MiB outside V8's heap, and used in it. V8 returns free heap at any time, so free heap does
 * not count.
 */
const megabytes = () => {
  globalThis.gc?.();
  const { rss, heapTotal, heapUsed } = process.memoryUsage();
  return { native: (rss - heapTotal) / 2 ** 20, heap: heapUsed / 2 ** 20 };
};

await xenstore.write('/big/value', value);
for (let i = 0; i < 400; i++) await round();
const before = megabytes();
for (let i = 0; i < 1000; i++) await round();
console.log(JSON.stringify({ before, after: megabytes() }));
xenstore.close();
