import { describe, expect, test } from 'vitest';
import type { Permission } from '../../src/xen/xenstore.ts';
import { guest, netVm, own, startDomains, stores } from './domains.ts';

const allBytes = String.fromCharCode(...Array.from({ length: 256 }, (_, byte) => byte));

const failure = (code: string, operation: string, path: string) =>
  expect.objectContaining({ name: 'XenstoreError', code, operation, path });

describe.each(stores)('%s', (store) => {
  test('nodes are written, read, listed and removed', async () => {
    const { open } = await startDomains(store);
    const xenstore = open(netVm);
    await xenstore.write(`${own}/a`, '1');
    await xenstore.write(`${own}/b/c`, '2');
    expect(await xenstore.read(`${own}/b/c`)).toBe('2');
    expect(await xenstore.read('data/a')).toBe('1');
    expect([...(await xenstore.list(own))].sort()).toEqual(['a', 'b']);
    expect(await xenstore.list(`${own}/a`)).toEqual([]);
    await xenstore.remove(`${own}/b`);
    expect(await xenstore.list(own)).toEqual(['a']);
    await xenstore.remove(`${own}/b`);
  });

  test('many nodes are read at once, and a missing or unreadable node has no value', async () => {
    const { open } = await startDomains(store);
    const xenstore = open(netVm);
    await xenstore.write(`${own}/a`, allBytes);
    await xenstore.write(`${own}/b`, '');
    const paths = [`${own}/a`, `${own}/none`, `${own}/b`, '/tool/none', '/libxl/2/none', 'domid'];
    const values = [allBytes, undefined, '', undefined, undefined, `${netVm}`];
    expect(await xenstore.readAll(paths)).toEqual(values);
    expect(await xenstore.readAll([])).toEqual([]);
    const [before, after] = await xenstore.transaction(async (tx) => {
      const seen = await xenstore.readAll([`${own}/b`], tx);
      await xenstore.write(`${own}/b`, 'new', tx);
      return [...seen, ...(await xenstore.readAll([`${own}/b`], tx))];
    });
    expect([before, after]).toEqual(['', 'new']);
    await expect(xenstore.readAll(['domid', '//'])).rejects.toEqual(
      failure('EINVAL', 'readAll', 'domid //'),
    );
  });

  test('a value keeps every byte', async () => {
    const { open } = await startDomains(store);
    const xenstore = open(netVm);
    for (const value of ['', '\0', allBytes, '\0'.repeat(1900)]) {
      await xenstore.write(`${own}/v`, value);
      expect(await xenstore.read(`${own}/v`)).toBe(value);
    }
  });

  test('permissions decide which domain can read a node', async () => {
    const { open } = await startDomains(store);
    const [xenstore, reader] = [open(netVm), open(guest)];
    const permissions: readonly Permission[] = [
      { domid: netVm, read: false, write: false },
      { domid: guest, read: true, write: false },
      { domid: 7, read: true, write: true },
    ];
    await xenstore.write(`${own}/p`, 'x');
    await expect(reader.read(`${own}/p`)).rejects.toEqual(failure('EACCES', 'read', `${own}/p`));
    await xenstore.setPermissions(`${own}/p`, permissions);
    expect(await xenstore.getPermissions(`${own}/p`)).toEqual(permissions);
    expect(await reader.read(`${own}/p`)).toBe('x');
  });

  test("a missing node below an unreadable one gives the store's own error code", async () => {
    const { open } = await startDomains(store);
    const code = store === 'xenstored' ? 'EACCES' : 'ENOENT';
    const path = `/local/domain/${guest}/data/none`;
    await expect(open(netVm).read(path)).rejects.toEqual(failure(code, 'read', path));
  });

  test('errors name the operation and the path', async () => {
    const { open } = await startDomains(store);
    const xenstore = open(netVm);
    const calls: Record<string, (path: string) => Promise<unknown>> = {
      read: (path) => xenstore.read(path),
      list: (path) => xenstore.list(path),
      tree: (path) => xenstore.tree(path),
      getPermissions: (path) => xenstore.getPermissions(path),
      setPermissions: (path) =>
        xenstore.setPermissions(path, [{ domid: netVm, read: false, write: false }]),
    };
    for (const [operation, call] of Object.entries(calls)) {
      await expect(call(`${own}/none`)).rejects.toEqual(
        failure('ENOENT', operation, `${own}/none`),
      );
    }
    await expect(xenstore.write('/tool', 'x')).rejects.toEqual(failure('EACCES', 'write', '/tool'));
    await expect(xenstore.remove('domid')).rejects.toEqual(failure('EACCES', 'remove', 'domid'));
    await expect(xenstore.read('a b')).rejects.toMatchObject({
      message: 'xenstore read a b: EINVAL',
    });
  });

  test('requests that would crash libxenstore or break the connection are refused, and the connection stays open', async () => {
    const { open } = await startDomains(store);
    const xenstore = open(netVm);
    const path = `${own}/v`;
    const oversized = 4096 - 16 - (path.length + 1) + 1;
    const over = (domid: number) => [{ domid, read: true, write: true }];
    const refused: [string, Promise<unknown>][] = [
      ['EINVAL', xenstore.read('domid\0')],
      ['EINVAL', xenstore.read(`/${'x'.repeat(5000)}`)],
      ['EINVAL', xenstore.write(path, '\u0100')],
      ['EINVAL', xenstore.setPermissions(path, over(-1))],
      ['EINVAL', xenstore.setPermissions(path, over(0x10000))],
      ['E2BIG', xenstore.setPermissions(path, Array(600).fill(over(1)).flat())],
      ['E2BIG', xenstore.write(path, 'x'.repeat(oversized))],
      ['E2BIG', xenstore.write(path, 'x'.repeat(1e6))],
      // The largest message that can be sent: the store itself refuses it.
      [store === 'xenstored' ? 'ENOSPC' : 'E2BIG', xenstore.write(path, 'x'.repeat(oversized - 1))],
    ];
    for (const [code, result] of refused) await expect(result).rejects.toMatchObject({ code });
    expect(await xenstore.read('domid')).toBe(`${netVm}`);
  });

  test('a list longer than a message is read whole from xenstored, and fails with E2BIG in oxenstored', async () => {
    const { open } = await startDomains(store);
    const xenstore = open(netVm);
    const names = Array.from({ length: 100 }, (_, number) => `${number}`.padStart(50, '0'));
    const dom0 = open(0);
    await Promise.all(names.map((name) => dom0.write(`${own}/${name}`, '')));
    if (store === 'oxenstored') {
      await expect(xenstore.list(own)).rejects.toEqual(failure('E2BIG', 'list', own));
    } else {
      expect([...(await xenstore.list(own))].sort()).toEqual(names);
    }
    expect(await xenstore.read('domid')).toBe(`${netVm}`);
  });
});
