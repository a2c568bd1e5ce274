/** The backend tree of net-vm, against a xenstored in memory. */
import { lastValueFrom, toArray } from 'rxjs';
import { expect, test } from 'vitest';
import { openBackend } from '../../../src/network/store/backend.ts';
import { domidOf } from '../../support/domid.ts';
import { openFakeStore } from './fake-store.ts';

const root = '/local/domain/2/backend/vif';
const vif = `${root}/3/0`;

const openWith = (nodes: Readonly<Record<string, string>>) => {
  const fake = openFakeStore(nodes);
  return { fake, backend: openBackend(fake.store, domidOf(2)) };
};

test('emits changes of vifs and names, but not of nodes that nothing depends on', async () => {
  const { backend } = openWith({});
  expect(await lastValueFrom(backend.changes.pipe(toArray()))).toEqual([
    'all',
    { key: '3/0', node: 'state' },
    'names',
    'names',
    'names',
  ]);
});

test('lists the vifs; other nodes between them do not count', async () => {
  const { backend } = openWith({
    [`${vif}/state`]: '2',
    [`${root}/3/1/state`]: '2',
    [`${root}/03/0/state`]: '2',
    [`${root}/4/x/state`]: '2',
  });
  expect(await backend.keys()).toEqual(['3/0', '3/1']);
  expect(await openWith({}).backend.keys()).toEqual([]);
});

test('reads the names of /ipc/domain-map; values that are no domids do not count', async () => {
  const { backend } = openWith({
    '/ipc/domain-map/web': '3',
    '/ipc/domain-map/bad': 'three',
  });
  expect(await backend.names([])).toEqual({ names: new Map([[3, 'web']]), isListed: true });
  expect(await openWith({}).backend.names([])).toEqual({ names: new Map(), isListed: false });
});

test('a vif without nodes does not exist', async () => {
  expect(await openWith({}).backend.read('3/0')).toBe(undefined);
});

test('reads some nodes and takes the others from the record before', async () => {
  const { fake, backend } = openWith({ [`${vif}/state`]: '2', [`${vif}/ip`]: '10.0.5.3' });
  const before = await backend.read('3/0');
  expect(before?.nodes).toEqual({ state: '2', ip: '10.0.5.3' });
  fake.nodes.set(`${vif}/state`, '4');
  fake.nodes.delete(`${vif}/ip`);
  expect((await backend.read('3/0', ['state'], before))?.nodes).toEqual({
    state: '4',
    ip: '10.0.5.3',
  });
  expect((await backend.read('3/0', ['ip'], before))?.nodes).toEqual({ state: '2' });
});

test("reads the guest's claim only if the vif is connected or has no address", async () => {
  const claim = { '/local/domain/3/device/vif/0/ip': '10.0.5.9' };
  const claimOf = async (nodes: Readonly<Record<string, string>>) =>
    (await openWith({ ...claim, ...nodes }).backend.read('3/0'))?.frontendIp;
  expect(await claimOf({ [`${vif}/state`]: '2', [`${vif}/ip`]: '10.0.5.3' })).toBe(undefined);
  expect(await claimOf({ [`${vif}/state`]: '4', [`${vif}/ip`]: '10.0.5.3' })).toBe('10.0.5.9');
  expect(await claimOf({ [`${vif}/state`]: '2', [`${vif}/ip`]: ' ' })).toBe('10.0.5.9');
});

test('writes the error before the status, and not for a vif that is gone', async () => {
  const { fake, backend } = openWith({ [`${vif}/state`]: '2' });
  expect(await backend.markError('3/0', 'vifwatch: LINK_FAILED')).toBe(true);
  expect(fake.changes).toEqual([`write ${vif}/hotplug-error`, `write ${vif}/hotplug-status`]);
  expect(await backend.markError('4/0', 'vifwatch: LINK_FAILED')).toBe(true);
  expect(fake.changes).toHaveLength(2);
});

test('a refused error mark is not written at all; a lost connection is an error', async () => {
  const { fake, backend } = openWith({ [`${vif}/state`]: '2' });
  fake.refuses = () => 'ENOSPC';
  expect(await backend.markError('3/0', 'vifwatch: LINK_FAILED')).toBe(false);
  expect(fake.changes).toEqual([]);
  fake.refuses = () => 'EBADF';
  await expect(backend.markError('3/0', 'text')).rejects.toMatchObject({ code: 'EBADF' });
});

test('writes an MTU for the guest; a refusal is not an error', async () => {
  const { fake, backend } = openWith({});
  await backend.hintMtu('3/0', 9_000);
  expect(fake.nodes.get('/local/domain/3/device/vif/0/mtu')).toBe('9000');
  fake.refuses = () => 'EACCES';
  await expect(backend.hintMtu('3/0', 1_500)).resolves.toBe(false);
});

test.each([
  ['6', '0', true],
  ['6', '1', false],
  ['5', '0', false],
])('state %s and online %s: the directory is removed: %s', async (state, online, isRemoved) => {
  const { fake, backend } = openWith({ [`${vif}/state`]: state, [`${vif}/online`]: online });
  await backend.remove('3/0');
  expect(fake.nodes.has(`${vif}/state`)).toBe(!isRemoved);
});

test('a directory that is gone before its removal is not an error', async () => {
  const { fake, backend } = openWith({ [`${vif}/state`]: '6' });
  fake.refuses = () => 'ENOENT';
  await backend.remove('3/0');
  await openWith({}).backend.remove('3/0');
});
