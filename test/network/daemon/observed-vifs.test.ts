/** The xenstore reads of the daemon after each event, with a store that records each read. */
import { expect, test } from 'vitest';
import { openObservedVifs } from '../../../src/network/daemon/observed-vifs.ts';
import type { Backend } from '../../../src/network/store/backend.ts';
import type { BackendRecord, VifKey } from '../../../src/network/vif/backend-vif.ts';
import { domidOf } from '../../support/domid.ts';

const openStore = (isListed = true) => {
  const reads: string[] = [];
  const wanted = new Set<string>();
  const records = new Map<VifKey, BackendRecord>();
  const create = (domid: number, ip: string): void => {
    const nodes = { state: '2', mac: '00:16:3e:00:00:01', ip };
    records.set(`${domid}/0`, { domid: domidOf(domid), devid: 0, nodes, frontendIp: undefined });
  };
  const backend: Pick<Backend, 'read' | 'keys' | 'names'> = {
    keys: async () => {
      reads.push('keys');
      return [...records.keys()];
    },
    names: async (wanted) => {
      reads.push(isListed ? 'names' : `names ${[...wanted].join(' ')}`);
      return { names: new Map([[domidOf(3), 'web']]), isListed };
    },
    read: async (key, nodes, before) => {
      const isPartial = before !== undefined;
      reads.push(`${key} ${isPartial ? nodes?.join(' ') : 'whole'}`);
      return records.get(key);
    },
  };
  const observed = openObservedVifs(backend, () => wanted);
  const refreshed = async (): Promise<readonly string[]> => {
    await observed.refresh();
    return reads.splice(0);
  };
  return { observed, refreshed, records, create, wanted };
};

test('reads everything at first, then only what was touched', async () => {
  const { observed, refreshed, create } = openStore();
  create(3, '10.0.5.3');
  create(4, '10.0.5.4');
  expect(await refreshed()).toEqual(['names', 'keys', '3/0 whole', '4/0 whole']);
  expect([...observed.vifs().keys()]).toEqual(['3/0', '4/0']);
  expect(observed.names()).toEqual(new Map([[3, 'web']]));
  expect(await refreshed()).toEqual([]);
  observed.touch('names');
  expect(await refreshed()).toEqual(['names']);
});

test('several touched nodes of a vif are read together; a touched vif is read whole', async () => {
  const { observed, refreshed, create } = openStore();
  create(3, '10.0.5.3');
  await refreshed();
  observed.touch({ key: '3/0', node: 'state' });
  observed.touch({ key: '3/0', node: 'ip' });
  observed.touch({ key: '3/0', node: 'state' });
  expect(await refreshed()).toEqual(['3/0 state ip']);
  observed.touch({ key: '3/0', node: undefined });
  observed.touch({ key: '3/0', node: 'ip' });
  expect(await refreshed()).toEqual(['3/0 whole']);
});

test('a node of a vif that is not known yet leads to a read of the whole vif', async () => {
  const { observed, refreshed, create } = openStore();
  await refreshed();
  create(5, '10.0.5.5');
  observed.touch({ key: '5/0', node: 'state' });
  expect(await refreshed()).toEqual(['5/0 whole']);
  expect(observed.vifs().has('5/0')).toBe(true);
});

test('a vif that is gone is forgotten, together with the MTU that its link refused', async () => {
  const { observed, refreshed, records, create } = openStore();
  create(3, '10.0.5.3');
  await refreshed();
  observed.mtuRefused('3/0', 9_000);
  expect(observed.refusedMtus()).toEqual(new Map([['3/0', 9_000]]));
  records.delete('3/0');
  observed.touch('all');
  expect(await refreshed()).toEqual(['keys', '3/0 whole']);
  expect(observed.vifs().size).toBe(0);
  expect(observed.refusedMtus().size).toBe(0);
});

test('names that cannot be listed are read one by one, and again when the configuration names another', async () => {
  const { observed, refreshed, wanted } = openStore(false);
  wanted.add('web');
  expect(await refreshed()).toEqual(['names web', 'keys']);
  expect(await refreshed()).toEqual([]);
  wanted.add('mail');
  expect(await refreshed()).toEqual(['names web mail']);
  observed.touch('names');
  expect(await refreshed()).toEqual(['names web mail']);
});
