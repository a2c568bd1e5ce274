/** The same events under the real `xl devd` with Xen's vif-route, and under vifwatch: dom0 sees no difference. */
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

/** Starts what serves the vifs; resolves with whether it has work that does not show in the store. */
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

/** The guest's driver is unloaded, or it starts another kernel: the frontend closes while dom0 keeps the vif. */
const writeFrontendState = async (host: SimHost, vm: string, state: string): Promise<void> => {
  const argv = ['xenstore-write', 'device/vif/0/state', state];
  assert.equal((await host.inVm(vm, argv)).status, 0);
};

/** Step by step, since the end alone would be the same for many a mistake: nothing is left. */
const trace: Readonly<Record<string, (host: SimHost) => Promise<void>>> = {
  'a VM without vifs': async (host) => void (await host.create({ name: 'web' })),
  attach: (host) => attach(host, 3),
  detach: (host) => detach(host, 3),
  'attach again': (host) => attach(host, 3),
  'attach a second': (host) => attach(host, 3, 1),
  'the guest closes the first': async (host) => {
    await writeFrontendState(host, 'web', '6');
    await becomesState(host, 3, '6');
  },
  'the guest opens it again': async (host) => {
    await writeFrontendState(host, 'web', '1');
    await becomesState(host, 3, '4');
  },
  'detach the second': (host) => detach(host, 3, 1),
  'another VM, with two': async (host) => {
    await host.create({ name: 'mail' });
    await attach(host, 4);
    await attach(host, 4, 1);
  },
  'destroy the first VM': async (host) => {
    assert.equal((await host.destroy('web')).status, 0);
  },
  'replace, without the guest knowing': async (host) => {
    assert.deepEqual(await removeVif(host.dom0, place(4), true), []);
    await attach(host, 4);
  },
  'destroy the other': async (host) => {
    assert.equal((await host.destroy('mail')).status, 0);
  },
};

const permissionsText = (permissions: readonly Permission[]): string =>
  permissions
    .map(({ domid, read, write }) => `${read ? 'r' : ''}${write ? 'w' : ''}${domid}`)
    .join(',');

/**
 * Every node that dom0 sees, with its value and its permissions: backends, frontends, and libxl's own; but not what
 * only vifwatch has to say.
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

/** Plays the trace; the store after each step, once it is quiet. */
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

/** Gives whoever is not done yet the time to change the store. */
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
  test('the store is the same after every step, to the last node', async () => {
    const expected = await play(store, servers['xl devd']);
    const found = await play(store, servers.vifwatch);
    for (const step of Object.keys(trace)) assert.deepEqual(found[step], expected[step], step);
    // Not because nothing happened.
    assert.ok(expected['attach']?.includes('/local/domain/2/backend/vif/3/0/state = "4" (2,r3)'));
  });
});
