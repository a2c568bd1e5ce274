import { firstValueFrom, take, toArray } from 'rxjs';
import { describe, expect, test } from 'vitest';
import type { Xenstore } from '../../src/xen/xenstore.ts';
import { guest, netVm, own, startDomains, stores } from './domains.ts';

/** Records a watch's events and its end, in their order. */
const record = (xenstore: Xenstore, path: string) => {
  const seen: string[] = [];
  const subscription = xenstore.watch(path).subscribe({
    next: (changed) => seen.push(changed),
    error: (error) => seen.push(`error ${error.code} ${error.operation} ${error.path}`),
    complete: () => seen.push('complete'),
  });
  return { seen, stop: () => subscription.unsubscribe() };
};

describe.each(stores)('%s', (store) => {
  test('a watch reports its own path first, and then each change below it', async () => {
    const { open } = await startDomains(store);
    const [xenstore, other] = [open(netVm), open(netVm)];
    const { seen } = record(xenstore, own);
    await expect.poll(() => seen).toEqual([own]);
    await other.write(`${own}/a/b`, '1');
    await other.setPermissions(`${own}/a`, [{ domid: netVm, read: true, write: false }]);
    await other.remove(`${own}/a`);
    await expect.poll(() => seen.slice(1)).toEqual([`${own}/a/b`, `${own}/a`, `${own}/a`]);
  });

  test('a relative watch reports relative paths, and can watch a missing node', async () => {
    const { open } = await startDomains(store);
    const xenstore = open(netVm);
    const paths = firstValueFrom(xenstore.watch('data/later').pipe(take(2), toArray()));
    await xenstore.write(`${own}/later/x`, '1');
    expect(await paths).toEqual(['data/later', 'data/later/x']);
  });

  test('a watch reports the writes of a transaction after its commit', async () => {
    const { open } = await startDomains(store);
    const [xenstore, other] = [open(netVm), open(netVm)];
    await xenstore.write(`${own}/other`, '0');
    const { seen } = record(xenstore, own);
    await xenstore.transaction(async (tx) => {
      for (const name of ['a', 'b', 'c']) await xenstore.write(`${own}/${name}`, '1', tx);
      await other.write(`${own}/other`, '1');
      await expect.poll(() => seen).toEqual([own, `${own}/other`]);
    });
    const paths = ['a', 'b', 'c'].map((name) => `${own}/${name}`);
    await expect.poll(() => seen.slice(2).sort()).toEqual(paths);
  });

  test('watches of the same path are independent, and an ended watch is silent', async () => {
    const { open } = await startDomains(store);
    const [xenstore, other] = [open(netVm), open(netVm)];
    const [stopped, stays] = [record(xenstore, own), record(xenstore, own)];
    await expect.poll(() => [stopped.seen, stays.seen]).toEqual([[own], [own]]);
    stopped.stop();
    // The two watches get the events of one write in any order. The events of the second write prove that
    // all events of the first have come.
    await other.write(`${own}/a`, '1');
    await other.write(`${own}/b`, '1');
    await expect.poll(() => stays.seen).toEqual([own, `${own}/a`, `${own}/b`]);
    expect(stopped.seen).toEqual([own]);
  });

  test('ended watches do not count in the quota', async () => {
    const { open } = await startDomains(store);
    const xenstore = open(netVm);
    for (let i = 0; i < 300; i++) await firstValueFrom(xenstore.watch(`${own}/${i}`));
    expect(await xenstore.read('domid')).toBe(`${netVm}`);
  });

  test('a refused watch ends the connection, with an error to each of its watches and requests', async () => {
    const { open } = await startDomains(store);
    const xenstore = open(netVm);
    const watches = Array.from({ length: 140 }, (_, i) => record(xenstore, `${own}/${i}`));
    const failures = watches.map((_, i) => `error EBADF watch ${own}/${i}`);
    await expect.poll(() => watches.map(({ seen }) => seen.at(-1))).toEqual(failures);
    await expect(xenstore.read('domid')).rejects.toMatchObject({ code: 'EBADF' });
    // The domain can open a new connection.
    expect(await open(netVm).read('domid')).toBe(`${netVm}`);
  });

  test('a storm of events does not lose the last event', async () => {
    const { open } = await startDomains(store);
    const [xenstore, other] = [open(netVm), open(guest)];
    await open(0).setPermissions(own, [{ domid: netVm, read: true, write: true }]);
    const { seen } = record(xenstore, own);
    const writes = Array.from({ length: 5000 }, (_, i) => other.write(`${own}/${i % 10}`, `${i}`));
    await Promise.all(writes);
    await other.write(`${own}/last`, '1');
    await expect.poll(() => seen.at(-1)).toBe(`${own}/last`);
  });

  test("a watch's callback can close the connection", async () => {
    const { open } = await startDomains(store);
    const xenstore = open(netVm);
    const seen: string[] = [];
    await new Promise<void>((complete) => {
      xenstore.watch(own).subscribe({
        next: (path) => {
          seen.push(path);
          xenstore.close();
        },
        complete,
      });
      xenstore.watch(own).subscribe((path) => seen.push(path));
    });
    await expect(xenstore.read('domid')).rejects.toMatchObject({ code: 'EBADF' });
    expect(seen).toEqual([own]);
    expect(record(xenstore, own).seen).toEqual([`error EBADF watch ${own}`]);
  });
});
