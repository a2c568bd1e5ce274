/** The audit's findings in xenstore, one sabotage at a time; without sabotage there are none. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Xenstore } from '../../../src/xen/xenstore.ts';
import { type SimHost, startSimHost } from '../../rig/sim/sim-host.ts';
import { findingsOf, type Place, permissions, plainPlace, runAudit } from './vms.ts';

let host: SimHost;
let vm: Place;
/** The VM's own connection to xenstored; `dom0` is dom0's. */
let own: Xenstore;
let dom0: Xenstore;

beforeAll(async () => {
  host = await startSimHost({ store: 'xenstored' });
  const domid = await host.create({
    name: 'sa-vm',
    vif: { mac: '00:16:3e:05:00:01', ip: '10.0.5.101' },
  });
  vm = plainPlace(host, domid);
  own = host.sim.open(domid);
  dom0 = host.dom0;
});
afterAll(async () => {
  own.close();
  await host.close();
});

const home = (): string => `/local/domain/${vm.domid}`;

/** A change that dom0 or the VM makes, the only findings that it causes, and its undoing. */
type Sabotage = {
  readonly by: () => Promise<unknown>;
  readonly finds: readonly (readonly [code: string, what: RegExp, remedy: RegExp])[];
  readonly undo: () => Promise<unknown>;
};

const made = (path: string, given: string): Pick<Sabotage, 'by' | 'undo'> => ({
  by: async () => {
    await own.write(`${home()}/${path}`, '');
    await own.setPermissions(`${home()}/${path}`, permissions(given));
  },
  undo: () => own.remove(`${home()}/${path.split('/').slice(0, 3).join('/')}`),
});

const given = (path: string, text: string, before: string): Pick<Sabotage, 'by' | 'undo'> => ({
  by: () => dom0.setPermissions(path, permissions(text)),
  undo: () => dom0.setPermissions(path, permissions(before)),
});

const map = '/ipc/domain-map';

const sabotages: Readonly<Record<string, Sabotage>> = {
  'a vif whose backend-id is dom0': {
    by: () => own.write(`${home()}/device/vif/0/backend-id`, '0'),
    finds: [['VIF_BACKEND_DOM0', /^the vif "0" has its backend in dom0/, /^in dom0: set backend=/]],
    undo: () => own.write(`${home()}/device/vif/0/backend-id`, `${host.netVm}`),
  },
  'a vif whose backend path is in dom0': {
    by: () => dom0.write(`${home()}/device/vif/1/backend`, '/local/domain/0/backend/vif/3/1'),
    finds: [['VIF_BACKEND_DOM0', /"\/local\/domain\/0\/backend\/vif\/3\/1"/, /./]],
    undo: () => dom0.remove(`${home()}/device/vif/1`),
  },
  'a link request to dom0': {
    ...made('data/vifwatch/knock/0', 'n3 r0'),
    finds: [
      ['VCHAN_DOM0', /^this VM asks dom0 for a link: "data\/vifwatch\/knock\/0"/, /^xenstore-rm /],
    ],
  },
  'a vchan offer to dom0': {
    ...made('data/vifwatch/direct/0/ring-ref', 'n3 r0'),
    finds: [
      ['VCHAN_DOM0', /^this VM offers dom0 a link: "data\/vifwatch\/direct\/0"/, /^xenstore-rm /],
    ],
  },
  'a directory from dom0 for a vchan offer to dom0': {
    by: async () => {
      await dom0.write(`${home()}/ipc/direct/0`, '');
      await dom0.setPermissions(`${home()}/ipc/direct/0`, permissions('n3 r0'));
    },
    finds: [['VCHAN_DOM0', /"ipc\/direct\/0"/, /^xenstore-rm /]],
    undo: () => dom0.remove(`${home()}/ipc`),
  },
  'a link request that other domains can read': {
    ...made('data/vifwatch/knock/2', 'r3 r2'),
    finds: [
      ['RENDEZVOUS_PERMISSIONS', /"r3 r2", but should be "n3 r2"/, /^rc-service vifwatch-agent/],
    ],
  },
  'a link request that its server can write': {
    ...made('data/vifwatch/knock/2', 'n3 b2'),
    finds: [['RENDEZVOUS_PERMISSIONS', /"n3 b2", but should be "n3 r2"/, /./]],
  },
  'a vchan offer that a third domain can read': {
    ...made('data/vifwatch/direct/2/session', 'n3 r2 r1'),
    finds: [
      ['RENDEZVOUS_PERMISSIONS', /direct\/2\/session" are "n3 r2.*, but should be "n3 r2"/, /./],
    ],
  },
  'a vchan offer that its client cannot read': {
    ...made('data/vifwatch/direct/2/session', 'n3'),
    finds: [['RENDEZVOUS_PERMISSIONS', /"n3", but should be "n3 r2"/, /./]],
  },
  'an offer directory that every domain can write, as in published instructions': {
    by: async () => {
      await dom0.write(`${home()}/ipc/direct/2`, '');
      await dom0.setPermissions(`${home()}/ipc/direct/2`, permissions('b3 r2'));
    },
    finds: [
      [
        'RENDEZVOUS_PERMISSIONS',
        /"ipc\/direct\/2" are "b3 r2", but should be "n3 r2"/,
        /^in dom0: xenstore-chmod \/local\/domain\/3\/ipc\/direct\/2 n3 r2;/,
      ],
    ],
    undo: () => dom0.remove(`${home()}/ipc`),
  },
  'an offer directory that this VM itself cannot read': {
    by: async () => {
      await dom0.write(`${home()}/ipc/direct/2`, '');
      await dom0.setPermissions(`${home()}/ipc/direct/2`, permissions('n0 r2'));
    },
    finds: [['RENDEZVOUS_PERMISSIONS', /"ipc\/direct\/2" are not readable for this VM/, /./]],
    undo: () => dom0.remove(`${home()}/ipc`),
  },
  'a parent directory that another domain can write': {
    by: () => own.setPermissions(`${home()}/data`, permissions('n3 b2')),
    finds: [['RENDEZVOUS_PERMISSIONS', /"data" are "n3 b2", but should be "n3"/, /./]],
    undo: () => own.setPermissions(`${home()}/data`, permissions('n3')),
  },
  'a link request whose name is not a domid': {
    ...made('data/vifwatch/knock/x_y', 'n3'),
    finds: [
      ['RENDEZVOUS_PERMISSIONS', /the name of "data\/vifwatch\/knock\/x_y" is not a domid/, /./],
    ],
  },
  'a missing domain-map entry': {
    by: () => dom0.remove(`${map}/sa-vm`),
    finds: [
      [
        'MAP_WRONG',
        /^\/ipc\/domain-map\/sa-vm does not exist/,
        /xenstore-write \/ipc\/domain-map\/sa-vm 3$/,
      ],
    ],
    undo: () => dom0.write(`${map}/sa-vm`, '3'),
  },
  'a domain-map entry that this VM cannot read': {
    ...given(`${map}/sa-vm`, 'n0', 'r0'),
    finds: [['MAP_WRONG', /does not exist, or this VM may not read it$/, /./]],
  },
  'a domain-map entry with an earlier domid': {
    by: () => dom0.write(`${map}/sa-vm`, '2'),
    finds: [['MAP_WRONG', /^\/ipc\/domain-map\/sa-vm is "2", but this is domain 3$/, /./]],
    undo: () => dom0.write(`${map}/sa-vm`, '3'),
  },
  'two domain-map entries for one domain': {
    by: () => dom0.write(`${map}/old-vm`, '3'),
    finds: [
      ['MAP_AMBIGUOUS', /"old-vm" and "sa-vm"|"sa-vm" and "old-vm"/, /^in dom0: xenstore-rm/],
    ],
    undo: () => dom0.remove(`${map}/old-vm`),
  },
  'a domain map that this VM can write': {
    ...given(map, 'r0 b3', 'r0'),
    finds: [['MAP_WRITABLE', /^this VM can write "\/ipc\/domain-map"/, /^in dom0: xenstore-chmod/]],
  },
  'a domain-map entry that every domain can write': {
    ...given(`${map}/sa-vm`, 'b0', 'r0'),
    finds: [['MAP_WRITABLE', /"\/ipc\/domain-map\/sa-vm"/, /./]],
  },
};

test('a correct VM has no findings, and the exit status is 0', async () => {
  expect(await findingsOf(host, vm)).toEqual([]);
  expect((await runAudit(host, vm, '')).stdout).toBe('nothing found\n');
});

test.each(Object.entries(sabotages))('the audit reports %s', async (_, { by, finds, undo }) => {
  await by();
  try {
    const found = await findingsOf(host, vm);
    expect(found.map(({ code }) => code)).toEqual(finds.map(([code]) => code));
    for (const [index, { what, do: remedy }] of found.entries()) {
      const [, expected, hint] = finds[index] ?? ['', /^$/, /^$/];
      expect(what).toMatch(expected);
      expect(remedy).toMatch(hint);
    }
  } finally {
    await undo();
  }
});

test('the audit finds nothing after every sabotage is undone', async () => {
  expect(await findingsOf(host, vm)).toEqual([]);
});
