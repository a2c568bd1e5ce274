import { describe, expect, test } from 'vitest';
import { missingStateOf } from '../../../src/network/plan/missing-state.ts';
import type { KernelLink } from '../../../src/network/state/kernel-state.ts';
import { bringUpLines } from '../../../src/network/text/ip-batch.ts';
import { linkNameOf } from '../../support/link-name.ts';
import { backendVif, emptyKernel } from '../store-fixture.ts';
import {
  converge,
  hostLinks,
  isIdle,
  keysOf,
  type Model,
  modelOf,
  planFor,
  setLinks,
} from './model-kernel.ts';

const linkOf = ({ kernel }: Model, name: string): KernelLink => {
  const link = kernel.links.get(linkNameOf(name));
  if (link === undefined) throw new Error(`no link ${name}`);
  return link;
};

test('one vif gets exactly its own elements, neighbours and routes', () => {
  const model = converge(modelOf([backendVif(3, { ip: '10.0.5.3 fd00:5::3 10.9.0.0/24' })]));
  expect(keysOf(model)).toEqual({
    elements: [
      'address4 vif3.0 . 10.0.5.3',
      'address6 vif3.0 . fd00:5::3',
      'gateway 10.0.5.1',
      'in vif3.0',
      'ingress vif3.0',
      'live4 10.0.5.3',
      'live6 fd00:5::3',
      'mac vif3.0 . 00:16:3e:00:03:00',
      'network4 vif3.0 . 10.9.0.0/24',
      'out vif3.0',
      'sender vif3.0 . 00:16:3e:00:03:00 . 10.0.5.3',
      'sender vif3.0 . 00:16:3e:00:03:00 . 10.9.0.0/24',
      'sender_mac vif3.0 . 00:16:3e:00:03:00',
      'source4 vif3.0 . 00:16:3e:00:03:00 . 10.0.5.3',
      'source6 vif3.0 . 00:16:3e:00:03:00 . fd00:5::3',
      'uplink eth0',
      'vif vif3.0',
      'vm_network4 10.9.0.0/24',
    ],
    neighbours: [
      '10.0.5.3 vif3.0 00:16:3e:00:03:00',
      '169.254.0.1 vif3.0 00:16:3e:00:03:00',
      'fd00:5::1 vif3.0 proxy',
      'fd00:5::3 vif3.0 00:16:3e:00:03:00',
    ],
    routes: ['10.0.5.3 vif3.0 ', '10.9.0.0/24 vif3.0 169.254.0.1', 'fd00:5::3 vif3.0 '],
    up: ['vif3.0'],
  });
});

test('without a link, or before netback looked at it, a vif has its rules and nothing else', () => {
  for (const vif of [backendVif(3), backendVif(3, { state: '1' })]) {
    const kernel = setLinks(emptyKernel, new Set(hostLinks));
    const model = converge({ vifs: new Map([[vif.key, vif]]), kernel });
    expect(keysOf(model)).toMatchObject({ neighbours: [], routes: [], up: [] });
    expect(keysOf(model).elements).toContain('address4 vif3.0 . 10.0.5.3');
    expect(model.vifs.get('3/0')?.hotplugStatus).toBe('');
  }
});

describe('a connected vif', () => {
  const settled = converge(modelOf([backendVif(3)]));

  test('is left alone', () => {
    expect(isIdle(planFor(settled))).toBe(true);
  });

  test.each(['elements', 'neighbours', 'routes'] as const)(
    'that lost its %s is repaired',
    (what) => {
      const broken = { ...settled, kernel: { ...settled.kernel, [what]: new Map() } };
      expect(planFor(broken).bringUp).toHaveLength(1);
      expect(keysOf(converge(broken))).toEqual(keysOf(settled));
    },
  );

  test('is not repaired because of an observation that may be old', () => {
    const broken = { ...settled, kernel: { ...settled.kernel, routes: new Map() } };
    const current = { links: true, elements: false };
    expect(planFor(broken, { current }).bringUp).toEqual([]);
  });

  test('is opened anew if its device was replaced', () => {
    const kernel = setLinks(
      setLinks(settled.kernel, new Set(hostLinks)),
      new Set([...hostLinks, 'vif3.0']),
    );
    expect(keysOf(converge({ ...settled, kernel }))).toEqual(keysOf(settled));
  });

  test('is closed if it is refused from now on', () => {
    const vif = backendVif(3, { state: '4', 'hotplug-status': 'connected', ip: 'junk' });
    const model = converge({ ...settled, vifs: new Map([[vif.key, vif]]) });
    expect(keysOf(model)).toMatchObject({
      elements: ['gateway 10.0.5.1', 'uplink eth0'],
      routes: [],
      up: [],
    });
    expect(model.vifs.get('3/0')).toMatchObject({
      hotplugStatus: 'error',
      hotplugError: 'vifwatch: ADDRESS_INVALID',
    });
  });

  test('has no trace of its old addresses after it gets others', () => {
    const vif = backendVif(3, { state: '4', 'hotplug-status': 'connected', ip: '10.0.5.77' });
    const model = converge({ ...settled, vifs: new Map([[vif.key, vif]]) });
    expect(JSON.stringify(keysOf(model))).not.toContain('10.0.5.3"');
    expect(keysOf(model).routes).toEqual(['10.0.5.77 vif3.0 ']);
  });
});

describe('in panic mode', () => {
  const settled = converge(modelOf([backendVif(3)]));

  test('a connected vif that is up is set down and loses its routes, and nothing sets it up', () => {
    const { takeDown, bringUp, garbage } = planFor(settled, { isPanic: true });
    expect(takeDown).toMatchObject({ links: ['vif3.0'], routes: [{ prefix: '10.0.5.3' }] });
    expect([...bringUp, ...garbage.elements]).toEqual([]);
    const links = new Map(settled.kernel.links).set(linkNameOf('vif3.0'), {
      ...linkOf(settled, 'vif3.0'),
      up: false,
    });
    const kernel = { ...settled.kernel, links, routes: new Map(), neighbours: new Map() };
    const down = { ...settled, kernel };
    expect(isIdle(planFor(down, { isPanic: true }))).toBe(true);
    expect(planFor(down).bringUp).toMatchObject([{ open: true, stayDown: false }]);
  });

  test('a new vif gets its rules and is connected, but stays down', () => {
    const [bringUp] = planFor(modelOf([backendVif(3)]), { isPanic: true }).bringUp;
    expect(bringUp).toMatchObject({ open: true, stayDown: true });
    expect(bringUp && bringUpLines(bringUp)).toEqual([]);
  });
});

test('a vif under change gets no error about another vif that came meanwhile with its address', () => {
  const opening = backendVif(4, { ip: '10.0.5.50' });
  const model = modelOf([backendVif(3, { ip: '10.0.5.50' }), opening]);
  expect(planFor(model).mark.map(({ key }) => key)).toEqual([opening.key]);
  expect(planFor(model, { busy: new Set([linkNameOf('vif4.0')]) }).mark).toEqual([]);
});

test('the plan expects only links that netback is about to make', () => {
  const vifs = [
    backendVif(3),
    backendVif(4, { state: '1' }),
    backendVif(5, { vifname: 'vif-web' }),
    backendVif(6, { 'hotplug-status': 'connected' }),
    backendVif(7, { state: '6' }),
    backendVif(8, { mac: 'junk' }),
  ];
  const without = modelOf([]);
  const model = { ...without, vifs: new Map(vifs.map((vif) => [vif.key, vif])) };
  expect(planFor(model).coming).toEqual(['vif3.0', 'vif5.0']);
  expect(planFor(modelOf(vifs)).coming).toEqual([]);
});

test('rules for a link to come wait until the firewall has been observed', () => {
  const vif = backendVif(3, { state: '1' });
  const model = { ...modelOf([]), vifs: new Map([[vif.key, vif]]) };
  const known = planFor(model);
  expect(known.bringUp.map(({ open }) => open)).toEqual([false]);
  const todo = planFor(model, { current: { links: true, elements: false } });
  expect(todo.bringUp).toEqual([]);
});

test('new rules of a connected vif do not wait until the links are known', () => {
  const model = converge(modelOf([backendVif(3)]));
  const elements = new Map(model.kernel.elements);
  elements.set('out vif3.0', {
    set: 'out',
    link: linkNameOf('vif3.0'),
    chain: 'out-web-0123456789ab',
  });
  const kernel = { ...model.kernel, elements };
  const plannedIf = (current: { readonly links: boolean; readonly elements: boolean }) =>
    planFor({ ...model, kernel }, { current }).bringUp;
  const [bringUp, ...others] = plannedIf({ links: false, elements: true });
  expect(others).toEqual([]);
  expect(bringUp).toMatchObject({ open: false, replaced: [elements.get('out vif3.0')] });
  expect(plannedIf({ links: false, elements: false })).toEqual([]);
  const unknown = { ...kernel, links: new Map() };
  expect(bringUp && missingStateOf(bringUp, unknown)).toEqual([]);
});

test('links under change are left out, also those of finished vifs', () => {
  const finished = backendVif(5, { state: '6', online: '0' });
  const model = modelOf([backendVif(3), backendVif(4), finished]);
  const kernel = { ...converge(modelOf([backendVif(4), backendVif(5)])).kernel };
  const busy = new Set(['vif4.0', 'vif5.0'].map(linkNameOf));
  const todo = planFor(
    { ...model, kernel: setLinks(kernel, new Set(['vif3.0', 'vif4.0'])) },
    { busy },
  );
  expect(todo.bringUp.map(({ served }) => served.link)).toEqual(['vif3.0']);
  expect({ ...todo.takeDown, finish: todo.finish, garbage: todo.garbage }).toEqual({
    ...{ links: [], routes: [], neighbours: [], finish: [], garbage: { elements: [], chains: [] } },
  });
});

test('a vif waits while the elements of an earlier vif with its address are removed', () => {
  const model = modelOf([backendVif(3), backendVif(4)]);
  const { bringUp } = planFor(model, { leaving: new Set(['10.0.5.4']) });
  expect(bringUp.map(({ served }) => served.link)).toEqual(['vif3.0']);
});

test('a vif does not open before the elements of an earlier vif with its link are gone', () => {
  const { kernel } = converge(modelOf([backendVif(3)]));
  const again = backendVif(3, { ip: '10.0.5.33' });
  const vifs = new Map([[again.key, again]]);
  expect(planFor({ vifs, kernel }).bringUp).toEqual([]);
  const elements = new Map([...kernel.elements].filter(([key]) => !/ 10\.0\.5\.3$/.test(key)));
  expect(planFor({ vifs, kernel: { ...kernel, elements } }).bringUp).toHaveLength(1);
});
