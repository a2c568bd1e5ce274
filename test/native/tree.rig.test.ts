import { describe, expect, test } from 'vitest';
import { guest, netVm, own, startDomains, stores } from './domains.ts';

describe.each(stores)('%s', (store) => {
  test('a subtree is read whole, parents first, with every byte', async () => {
    const { open } = await startDomains(store);
    const xenstore = open(netVm);
    const nodes = { 'a/1/x': '\0\xff', 'a/1/y': '', 'a/2': 'two', b: ' ' };
    for (const [path, value] of Object.entries(nodes)) {
      await xenstore.write(`${own}/${path}`, value);
    }
    const tree = await xenstore.tree(own);
    expect(Object.fromEntries(tree)).toEqual({ '': '', a: '', 'a/1': '', ...nodes });
    const keys = [...tree.keys()];
    for (const key of keys.filter((key) => key.includes('/'))) {
      const parent = key.slice(0, key.lastIndexOf('/'));
      expect(keys.indexOf(parent)).toBeLessThan(keys.indexOf(key));
    }
    expect(Object.fromEntries(await xenstore.tree(`${own}/a/2`))).toEqual({ '': 'two' });
    expect((await open(0).tree('/')).get(`local/domain/${netVm}/data/b`)).toBe(' ');
  });

  test('unreadable nodes are left out, and an unreadable root is an error', async () => {
    const { open } = await startDomains(store);
    const [xenstore, reader] = [open(netVm), open(guest)];
    const access = (read: boolean) => [
      { domid: netVm, read: false, write: false },
      { domid: guest, read, write: false },
    ];
    for (const name of ['open', 'closed']) {
      await xenstore.write(`${own}/${name}/below`, name);
      await xenstore.setPermissions(`${own}/${name}/below`, access(true));
    }
    await xenstore.setPermissions(`${own}/open`, access(true));
    await expect(reader.tree(own)).rejects.toMatchObject({ code: 'EACCES', operation: 'tree' });
    await xenstore.setPermissions(own, access(true));
    expect(Object.fromEntries(await reader.tree(own))).toEqual({
      '': '',
      open: '',
      'open/below': 'open',
    });
  });

  test('nodes that vanish during the walk are left out', async () => {
    const { open } = await startDomains(store);
    const [xenstore, other] = [open(netVm), open(netVm)];
    await xenstore.write(`${own}/stays`, '1');
    let walking = true;
    const churn = async (): Promise<void> => {
      while (walking) {
        const names = Array.from({ length: 15 }, (_, i) => `${own}/${i}`);
        await Promise.all(names.map((name) => other.write(`${name}/x`, '')));
        await Promise.all(names.map((name) => other.remove(name)));
      }
    };
    const churned = churn();
    const sizes = new Set<number>();
    try {
      for (let i = 0; i < 200; i++) {
        const tree = await xenstore.tree(own);
        expect(tree.get('stays')).toBe('1');
        sizes.add(tree.size);
      }
    } finally {
      walking = false;
      await churned;
    }
    expect(sizes.size).toBeGreaterThan(1);
  });
});

test('a subtree larger than 16 MiB is refused', async () => {
  const { open } = await startDomains('xenstored');
  const dom0 = open(0);
  const value = 'x'.repeat(4000);
  // dom0 has no quota. 4300 nodes of this size are more than 16 MiB.
  for (let directory = 0; directory < 43; directory++) {
    const names = Array.from({ length: 100 }, (_, i) => `/hostile/${directory}/${i}`);
    await Promise.all(names.map((name) => dom0.write(name, value)));
  }
  await expect(dom0.tree('/hostile')).rejects.toMatchObject({ code: 'E2BIG', path: '/hostile' });
  expect((await dom0.tree('/hostile/42')).size).toBe(101);
});
