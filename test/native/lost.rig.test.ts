import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { openXenstore } from '../../src/xen/xenstore.ts';
import { netVm, own, startDomains, stores } from './domains.ts';

const lost = (operation: string, path: string) =>
  expect.objectContaining({ name: 'XenstoreError', code: 'EBADF', operation, path });

describe.each(stores)('%s', (store) => {
  test('while xenstored hangs, requests wait and the event loop goes on', async () => {
    const { open, xenstored } = await startDomains(store);
    const xenstore = open(netVm);
    const events: string[] = [];
    xenstore.watch(own).subscribe((path) => events.push(path));
    await xenstore.read('domid');
    xenstored.child.kill('SIGSTOP');
    const settled: number[] = [];
    const requests = Array.from({ length: 100 }, (_, i) =>
      xenstore.write(`${own}/${i % 5}`, `${i}`).then(() => settled.push(i)),
    );
    // A wrong implementation would settle requests within this time, or block the event loop for ever.
    for (let i = 0; i < 20; i++) await delay(5);
    expect(settled).toEqual([]);
    xenstored.child.kill('SIGCONT');
    await Promise.all(requests);
    expect(settled).toEqual(requests.map((_, i) => i));
    await expect.poll(() => events).toContain(`${own}/4`);
  });

  test('a connection can be closed while xenstored hangs', async () => {
    const { open, xenstored } = await startDomains(store);
    const xenstore = open(netVm);
    await xenstore.read('domid');
    xenstored.child.kill('SIGSTOP');
    const pending = [xenstore.read('domid'), xenstore.transaction(async () => {})];
    // After this time the first request is under way. A close that waited for it would never return.
    await delay(20);
    xenstore.close();
    await expect(pending[0]).rejects.toEqual(lost('read', 'domid'));
    await expect(pending[1]).rejects.toEqual(lost('begin', ''));
  });

  test('when the socket breaks, current and later requests and watches fail', async () => {
    const { open, xenstored } = await startDomains(store);
    const [idle, watching] = [open(0), open(0)];
    await idle.write('/tool/a', '');
    const ends: unknown[] = [];
    const end = (error: unknown) => ends.push(error);
    watching.watch(own).subscribe({ error: end });
    watching.watch('/tool').subscribe({ error: end });
    await watching.read('/tool');

    xenstored.child.kill('SIGSTOP');
    const requests = [watching.read('/tool'), watching.list('/'), watching.tree('/')];
    const settled = Promise.allSettled(requests);
    await xenstored.kill();
    expect(await settled).toEqual([
      { status: 'rejected', reason: lost('read', '/tool') },
      { status: 'rejected', reason: lost('list', '/') },
      { status: 'rejected', reason: lost('tree', '/') },
    ]);
    expect(ends).toEqual([lost('watch', own), lost('watch', '/tool')]);
    await expect(watching.read('/tool')).rejects.toEqual(lost('read', '/tool'));

    await expect(idle.read('/tool')).rejects.toMatchObject({ name: 'XenstoreError' });
    await expect(idle.write('/a', '')).rejects.toEqual(lost('write', '/a'));
  });
});

test('without xenstored, opening a connection fails with the path of its socket', () => {
  Object.assign(process.env, { XENSTORED_PATH: '/nonexistent/socket' });
  const failure = { name: 'XenstoreError', code: 'ENOENT', operation: 'open' };
  expect(() => openXenstore()).toThrow(
    expect.objectContaining({ ...failure, path: '/nonexistent/socket' }),
  );
});
