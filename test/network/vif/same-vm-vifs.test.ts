import { describe, expect, test } from 'vitest';
import { type Element, keyOfElement } from '../../../src/network/state/element.ts';
import { keyed } from '../../../src/network/state/kernel-state.ts';
import type { BackendVif } from '../../../src/network/vif/backend-vif.ts';
import { type Circumstances, decideVifs } from '../../../src/network/vif/decide-vifs.ts';
import { domidOf } from '../../support/domid.ts';
import { linkNameOf } from '../../support/link-name.ts';
import { converge, type Model, planFor, setLinks } from '../plan/model-kernel.ts';
import { backendVif, circumstances, emptyKernel, prefix, vmPolicy } from '../store-fixture.ts';

const same = { mac: '00:16:3e:00:00:99', ip: '10.0.5.9 fd00:5::9' };
const alive = { state: '4', 'hotplug-status': 'connected' };
const names = new Map([
  [domidOf(3), 'web'],
  [domidOf(8), 'db'],
]);

/** For each vif: whether it is served, and whether its addresses are routed to it. */
const outcomes = (
  vifs: readonly BackendVif[],
  more: Partial<Parameters<typeof decideVifs>[0]> = {},
) =>
  Object.fromEntries(
    decideVifs(circumstances(vifs, { names, ...more })).map((decision) => {
      if (decision.kind === 'refused') return [decision.vif.key, decision.problem.code];
      if (decision.kind !== 'served') return [decision.vif.key, decision.kind];
      return [decision.vif.key, decision.served.routed ? 'routed' : 'served'];
    }),
  );

describe('two vifs with the same devid, MAC and addresses are one VM: both are served, and one has the route', () => {
  test.each([
    ['the vif with a connected frontend has the route', {}, alive, 'served', 'routed'],
    [
      'of two connected vifs, the one of a named domain has the route',
      alive,
      alive,
      'routed',
      'served',
    ],
    [
      'a vif that dom0 closes does not have the route',
      { ...alive, online: '0' },
      {},
      'served',
      'routed',
    ],
    ['a vif that closes does not have the route', { ...alive, state: '5' }, {}, 'served', 'routed'],
  ])('%s', (_, older, newer, ofOlder, ofNewer) => {
    const vifs = [backendVif(3, { ...same, ...older }), backendVif(4, { ...same, ...newer })];
    expect(outcomes(vifs)).toEqual({ '3/0': ofOlder, '4/0': ofNewer });
    expect(outcomes(vifs.reverse())).toEqual({ '3/0': ofOlder, '4/0': ofNewer });
  });

  test('a VM that is renamed after a crash loses its name: the new domain has the route', () => {
    const vifs = [backendVif(7, { ...same, ...alive }), backendVif(8, { ...same, ...alive })];
    expect(outcomes(vifs)).toEqual({ '7/0': 'served', '8/0': 'routed' });
  });

  test('an unnamed domain has the name of the named domain of the same VM, also for policies', () => {
    let asked: (string | undefined)[] = [];
    const policyFor: Circumstances['policyFor'] = (nameOf) => (vif) => {
      asked.push(nameOf(vif));
      return vmPolicy;
    };
    const namesOf = (...vifs: BackendVif[]) => {
      asked = [];
      const decisions = decideVifs(circumstances(vifs, { names, policyFor }));
      return decisions.map((decision) => decision.kind === 'served' && decision.served.name);
    };
    expect(namesOf(backendVif(8, { ...same, ...alive }), backendVif(9, same))).toEqual([
      'db',
      'db',
    ]);
    expect(asked).toEqual(['db', 'db']);
    expect(namesOf(backendVif(8, alive), backendVif(9, same))).toEqual(['db', undefined]);
    expect(asked).toEqual(['db', undefined]);
  });

  test('without names, the older domain has the route: an HVM guest is older than its stubdomain', () => {
    const vifs = [backendVif(7, { ...same, ...alive }), backendVif(9, { ...same, ...alive })];
    expect(outcomes(vifs)).toEqual({ '7/0': 'routed', '9/0': 'served' });
  });
});

describe('a different VM', () => {
  test.each([
    ['another MAC', { mac: '00:16:3e:00:00:98' }],
    ['more addresses', { ip: `${same.ip} 10.0.5.8` }],
    ['fewer addresses', { ip: '10.0.5.9' }],
  ])('%s: the second vif is refused', (_, nodes) => {
    const vifs = [backendVif(3, { ...same, ...alive }), backendVif(4, { ...same, ...nodes })];
    expect(outcomes(vifs)).toEqual({ '3/0': 'routed', '4/0': 'ADDRESS_TAKEN' });
  });

  test('another devid: the second vif is refused', () => {
    const vifs = [backendVif(3, { ...same, ...alive }), backendVif(4, same, undefined, 1)];
    expect(outcomes(vifs)).toEqual({ '3/0': 'routed', '4/1': 'ADDRESS_TAKEN' });
  });

  test('addresses that only guests name do not make two vifs one VM', () => {
    const claims = { mac: same.mac, ip: undefined };
    const vifs = [backendVif(3, claims, '10.0.7.7'), backendVif(8, claims, '10.0.7.7')];
    const range = [prefix('10.0.7.0/24')];
    const allowed = new Map([...names.values()].map((name) => [name, range]));
    expect(outcomes(vifs, { allowed })).toEqual({ '3/0': 'routed', '8/0': 'ADDRESS_TAKEN' });
  });
});

test('old firewall elements of the same VM delay nothing; those of another VM do', () => {
  const left = (mac: string): readonly Element[] => [
    { set: 'mac', link: linkNameOf('vif3.0'), mac },
    { set: 'address4', link: linkNameOf('vif3.0'), prefix: '10.0.5.9' },
  ];
  const kernelWith = (mac: string) => ({
    ...emptyKernel,
    elements: keyed(left(mac), keyOfElement),
  });
  const heir = [backendVif(4, same)];
  expect(outcomes(heir, { kernel: kernelWith(same.mac) })).toEqual({ '4/0': 'routed' });
  expect(outcomes(heir, { kernel: kernelWith('00:16:3e:00:00:98') })).toEqual({ '4/0': 'waiting' });
});

test('each vif has its own elements; when the older vif goes, the newer loses nothing and its flows continue', () => {
  const old = backendVif(3, { ...same, ...alive });
  const heir = backendVif(4, same);
  const kernel = setLinks(emptyKernel, new Set(['lo', 'eth0', 'vif3.0', 'vif4.0']));
  const vifs = (...present: readonly BackendVif[]) => new Map(present.map((vif) => [vif.key, vif]));
  const has = (model: Model, what: 'elements' | 'routes') => [...model.kernel[what].keys()].join();

  const both = converge({ vifs: vifs(old, heir), kernel });
  expect(has(both, 'elements')).toMatch(/address4 vif3\.0 .*address4 vif4\.0 /);
  expect(has(both, 'routes')).not.toContain('vif4.0');
  const leaving = backendVif(3, { ...same, ...alive, state: '5', online: '0' });
  const connected = backendVif(4, { ...same, ...alive });
  const change = planFor({ ...both, vifs: vifs(leaving, connected) });
  expect(change.takeDown.routes).toEqual([]);
  const moved = converge({ ...both, vifs: vifs(leaving, connected) });
  expect(has(moved, 'routes')).not.toContain('vif3.0');
  expect(has(moved, 'routes')).toContain('10.0.5.9 vif4.0');

  const withoutLink = ({ kernel: before }: Model, ...left: readonly string[]) =>
    setLinks(before, new Set(['lo', 'eth0', ...left]));
  const after = { kernel: withoutLink(moved, 'vif4.0'), vifs: vifs(connected) };
  expect(planFor(after).garbage.elements).not.toEqual([]);
  expect(planFor(after).cut).toEqual([]);
  const alone = converge(after);
  expect(has(alone, 'elements')).not.toContain('vif3.0');
  expect(has(alone, 'elements')).toMatch(/live4 10\.0\.5\.9,.*address4 vif4\.0 \. 10\.0\.5\.9/);
  const nobody = { kernel: withoutLink(alone), vifs: vifs() };
  expect(planFor(nobody).cut).toEqual(['10.0.5.9', 'fd00:5::9']);
  expect(has(converge(nobody), 'elements')).toBe('uplink eth0,gateway 10.0.5.1');
});
