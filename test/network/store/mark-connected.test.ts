/** Marking vifs as connected, against a xenstored in memory. */
import { expect, test } from 'vitest';
import { markConnected } from '../../../src/network/store/mark-connected.ts';
import type { BackendVif } from '../../../src/network/vif/backend-vif.ts';
import { backendVif } from '../store-fixture.ts';
import { openFakeStore } from './fake-store.ts';

const root = '/local/domain/2/backend/vif';

const openVifs = (count: number) => {
  const vifs = Array.from({ length: count }, (_, index) => backendVif(index + 3));
  const states = vifs.map(({ key, state }) => [`${root}/${key}/state`, `${state}`]);
  const fake = openFakeStore(Object.fromEntries(states));
  const mark = async (marked: readonly BackendVif[] = vifs): Promise<readonly string[]> => [
    ...(await markConnected({ store: fake.store, root }, marked)),
  ];
  return { vifs, fake, mark };
};

test('marks all vifs in one transaction', async () => {
  const { fake, mark } = openVifs(3);
  expect(await mark()).toEqual(['3/0', '4/0', '5/0']);
  expect(fake.transactions()).toBe(1);
  expect(fake.nodes.get(`${root}/4/0/hotplug-status`)).toBe('connected');
});

test('marks at most 100 vifs in a transaction', async () => {
  const { fake, mark } = openVifs(201);
  expect(await mark()).toHaveLength(201);
  expect(fake.transactions()).toBe(3);
});

test('without vifs, there is no transaction', async () => {
  const { fake, mark } = openVifs(0);
  expect(await mark()).toEqual([]);
  expect(fake.transactions()).toBe(0);
});

test('removes the error of a vif that had one', async () => {
  const { fake, mark } = openVifs(2);
  const recovered = backendVif(4, { 'hotplug-error': 'vifwatch: LINK_FAILED' });
  await mark([backendVif(3), recovered]);
  expect(fake.changes).toEqual([
    `write ${root}/3/0/hotplug-status`,
    `write ${root}/4/0/hotplug-status`,
    `remove ${root}/4/0/hotplug-error`,
  ]);
});

test('skips a vif whose state has changed, or that is gone', async () => {
  const { fake, mark } = openVifs(3);
  fake.nodes.set(`${root}/3/0/state`, '5');
  fake.nodes.delete(`${root}/4/0/state`);
  expect(await mark()).toEqual(['5/0']);
});

test('after a conflict, each vif gets a transaction of its own', async () => {
  const { fake, mark } = openVifs(3);
  // Another program changes vif 4/0 during the common transaction, and again during its own.
  let commits = 0;
  fake.conflicts = () => {
    commits += 1;
    return commits === 1 || commits === 3;
  };
  expect(await mark()).toEqual(['3/0', '5/0']);
  expect(fake.nodes.has(`${root}/4/0/hotplug-status`)).toBe(false);
});

test('a conflict about a single vif is left to the next pass', async () => {
  const { fake, mark } = openVifs(1);
  fake.conflicts = () => true;
  expect(await mark()).toEqual([]);
});

test('a node that goes during the transaction closes only its own vif out', async () => {
  const { vifs, fake, mark } = openVifs(3);
  fake.refuses = (_, path) => (path.startsWith(`${root}/4/0/`) ? 'ENOENT' : undefined);
  expect(await mark(vifs)).toEqual(['3/0', '5/0']);
});

test('a full quota is an error', async () => {
  const { fake, mark } = openVifs(2);
  fake.refuses = () => 'ENOSPC';
  await expect(mark()).rejects.toMatchObject({ code: 'ENOSPC' });
});
