/** The same events under the real `xl devd` with Xen's vif-route and under vifwatch look the same to dom0. */
import assert from 'node:assert/strict';
import { describe, test } from 'vitest';
import type { Permission } from '../../../src/xen/xenstore.ts';
import { childrenOf } from '../../rig/process.ts';
import { readNode } from '../../rig/sim/node-state.ts';
import { type SimHost, startSimHost } from '../../rig/sim/sim-host.ts';
import { addVif, removeVif } from '../../rig/sim/toolstack.ts';
import { startXlDevd } from '../../rig/sim/xl-devd.ts';
import { slowness } from '../../support/slowness.ts';
import { until } from '../../support/until.ts';
import { backend, becomesConnected, macOf, place } from './net-vm.ts';

/** Starts the program that serves vifs; the result tells whether it has work that xenstore does not show. */
type Server = (host: SimHost) => Promise<() => boolean>;

const servers: Readonly<Record<'xl devd' | 'vifwatch', Server>> = {
  'xl devd': async (host) => {
    const { pid } = startXlDevd(host.sim, host.netVm);
    return () => childrenOf(pid).length > 0;
  },
  vifwatch: async (host) => {
    await host.startDaemon();
    return () => false;
  },
};

const attach = async (host: SimHost, guest: number, devid = 0): Promise<void> => {
  const nodes = { mac: macOf(guest, devid), ip: `10.0.5.${guest}${devid}` };
  assert.deepEqual(await addVif(host.dom0, place(guest, devid), nodes), []);
  await becomesConnected(host, guest, devid);
};

const detach = async (host: SimHost, guest: number, devid = 0): Promise<void> => {
  assert.deepEqual(await removeVif(host.dom0, place(guest, devid)), []);
};

const becomesState = (host: SimHost, guest: number, state: string): Promise<void> =>
  until(`vif ${guest}/0 is in state ${state}`, async () => {
    return (await host.read(`${backend(guest)}/state`)) === state;
  });

/** Acts as a guest that unloads its driver or boots another kernel: the frontend closes, the vif stays. */
const writeFrontendState = async (host: SimHost, vm: string, state: string): Promise<void> => {
  const argv = ['xenstore-write', 'device/vif/0/state', state];
  assert.equal((await host.inVm(vm, argv)).status, 0);
};

/** The store is compared after each step: the empty store at the end would hide many faults. */
const trace: Readonly<Record<string, (host: SimHost) => Promise<void>>> = {
  'a VM without vifs': async (host) => void (await host.create({ name: 'web' })),
  attach: (host) => attach(host, 3),
  detach: (host) => detach(host, 3),
  'attach again': (host) => attach(host, 3),
  'attach a second vif': (host) => attach(host, 3, 1),
  'the guest closes the first vif': async (host) => {
    await writeFrontendState(host, 'web', '6');
    await becomesState(host, 3, '6');
  },
  'the guest opens the first vif again': async (host) => {
    await writeFrontendState(host, 'web', '1');
    await becomesState(host, 3, '4');
  },
  'detach the second vif': (host) => detach(host, 3, 1),
  'another VM with two vifs': async (host) => {
    await host.create({ name: 'mail' });
    await attach(host, 4);
    await attach(host, 4, 1);
  },
  'destroy the first VM': async (host) => {
    assert.equal((await host.destroy('web')).status, 0);
  },
  "replace a vif without the guest's knowledge": async (host) => {
    assert.deepEqual(await removeVif(host.dom0, place(4), true), []);
    await attach(host, 4);
  },
  'destroy the other VM': async (host) => {
    assert.equal((await host.destroy('mail')).status, 0);
  },
};

const permissionsText = (permissions: readonly Permission[]): string =>
  permissions
    .map(({ domid, read, write }) => `${read ? 'r' : ''}${write ? 'w' : ''}${domid}`)
    .join(',');

/**
 * Every node that dom0 sees, with its value and permissions: backends, frontends and libxl's own nodes.
 * The nodes that only vifwatch writes are left out.
 */
const dom0View = async ({ dom0 }: SimHost): Promise<readonly string[]> => {
  const lines: string[] = [];
  for (const root of ['/local/domain', '/libxl']) {
    for (const path of (await dom0.tree(root)).keys()) {
      const full = path === '' ? root : `${root}/${path}`;
      if (/\/data\/vifwatch(\/|$)/.test(full)) continue;
      const value = await readNode(dom0, full);
      lines.push(`${full} = "${value}" (${permissionsText(await dom0.getPermissions(full))})`);
    }
  }
  return lines.sort();
};

/** Plays the trace; the result has the store after each step, once the store is quiet. */
const play = async (store: 'xenstored' | 'oxenstored', serve: Server) => {
  const host = await startSimHost({ store });
  const after: Record<string, readonly string[]> = {};
  try {
    const isBusy = await serve(host);
    const quietMs = 250 * (await slowness());
    for (const [name, step] of Object.entries(trace)) {
      await step(host);
      await quiet(host, isBusy, quietMs);
      after[name] = await dom0View(host);
    }
  } finally {
    await host.close();
  }
  return after;
};

/** Gives processes that are still at work the time to change the store. */
const quiet = async (host: SimHost, isBusy: () => boolean, quietMs: number): Promise<void> => {
  let [events, since] = [0, performance.now()];
  const watch = host.dom0.watch('/local/domain').subscribe(() => {
    events += 1;
    since = performance.now();
  });
  try {
    await until('the store is quiet', () => {
      if (isBusy()) since = performance.now();
      return events > 0 && performance.now() - since > quietMs;
    });
  } finally {
    watch.unsubscribe();
  }
};

describe.concurrent.each(['xenstored', 'oxenstored'] as const)('with %s', (store) => {
  test('every node in the store is the same after every step', async () => {
    const expected = await play(store, servers['xl devd']);
    const found = await play(store, servers.vifwatch);
    for (const step of Object.keys(trace)) assert.deepEqual(found[step], expected[step], step);
    // The steps had an effect.
    assert.ok(expected['attach']?.includes('/local/domain/2/backend/vif/3/0/state = "4" (2,r3)'));
  });
});
