import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { openXenstore } from '../../src/xen/xenstore.ts';
import { netVm, own, startDomains, stores } from './domains.ts';

const lost = (operation: string, path: string) =>
  expect.objectContaining({ name: 'XenstoreError', code: 'EBADF', operation, path });

describe.each(stores)('%s', (store) => {
  test('while it hangs, requests pend and nothing else waits', async () => {
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
    // The requests get time to settle, as they must not; if the loop waited for them, this would never end.
    for (let i = 0; i < 20; i++) await delay(5);
    expect(settled).toEqual([]);
    xenstored.child.kill('SIGCONT');
    await Promise.all(requests);
    expect(settled).toEqual(requests.map((_, i) => i));
    await expect.poll(() => events).toContain(`${own}/4`);
  });

  test('when it hangs for good, a connection can still be closed', async () => {
    const { open, xenstored } = await startDomains(store);
    const xenstore = open(netVm);
    await xenstore.read('domid');
    xenstored.child.kill('SIGSTOP');
    const pending = [xenstore.read('domid'), xenstore.transaction(async () => {})];
    // Time for the first to be under way. If the close waited for it, this would never end.
    await delay(20);
    xenstore.close();
    await expect(pending[0]).rejects.toEqual(lost('read', 'domid'));
    await expect(pending[1]).rejects.toEqual(lost('begin', ''));
  });

  test('when a socket breaks, requests and watches fail, and so do all later ones', async () => {
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

test('where there is no xenstored', () => {
  Object.assign(process.env, { XENSTORED_PATH: '/nonexistent/socket' });
  const failure = { name: 'XenstoreError', code: 'ENOENT', operation: 'open' };
  expect(() => openXenstore()).toThrow(
    expect.objectContaining({ ...failure, path: '/nonexistent/socket' }),
  );
});
