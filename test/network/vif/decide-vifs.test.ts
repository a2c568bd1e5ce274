import { describe, expect, test } from 'vitest';
import { type Circumstances, decideVifs } from '../../../src/network/vif/decide-vifs.ts';
import { domidOf } from '../../support/domid.ts';
import { linkNameOf } from '../../support/link-name.ts';
import { backendVif, circumstances, emptyKernel, prefix, vmPolicy } from '../store-fixture.ts';
import { kernelWith, link, outcomes } from './outcomes.ts';

describe('the state of the backend directory', () => {
  test.each([
    ['1', '1', '', 'waiting for netback'],
    ['2', '1', '', 'served'],
    ['4', '1', '', 'served'],
    ['4', '1', 'connected', 'served'],
    ['5', '1', 'connected', 'served'],
    ['6', '1', 'connected', 'served'],
    ['5', '0', 'connected', 'served'],
    ['5', '1', '', 'waiting for frontend'],
    ['6', '1', '', 'waiting for frontend'],
    ['6', '0', 'connected', 'finished'],
    ['6', '0', '', 'finished'],
    [undefined, '1', '', 'waiting for netback'],
    ['junk', '1', '', 'waiting for netback'],
  ])('state %s online %s hotplug-status "%s": %s', (state, online, hotplug, expected) => {
    const vif = backendVif(3, { state, online, 'hotplug-status': hotplug });
    expect(outcomes([vif])).toEqual({ '3/0': expected });
  });

  test('a finished directory is finished, no matter what else is wrong with it', () => {
    const vif = backendVif(3, { state: '6', online: '0', mac: 'junk', frontend: undefined });
    expect(outcomes([vif])).toEqual({ '3/0': 'finished' });
  });
});

describe('addresses', () => {
  test('a vif without addresses is refused', () => {
    expect(outcomes([backendVif(3, { ip: undefined })])).toEqual({ '3/0': 'ADDRESS_MISSING' });
  });

  test("net-vm's own address, the gateway's, and a network around either are refused", () => {
    const kernel = kernelWith(link('eth0', { addresses: ['192.0.2.2', 'fe80::1'] }));
    const vifs = [
      backendVif(3, { ip: '192.0.2.2' }),
      backendVif(4, { ip: '10.0.5.1' }),
      backendVif(5, { ip: '192.0.0.0/16' }),
      backendVif(6, { ip: 'fd00:5::/64' }),
      backendVif(7),
    ];
    expect(outcomes(vifs, { kernel })).toEqual({
      '3/0': 'ADDRESS_RESERVED',
      '4/0': 'ADDRESS_RESERVED',
      '5/0': 'ADDRESS_RESERVED',
      '6/0': 'ADDRESS_RESERVED',
      '7/0': 'served',
    });
  });

  test('the address of a router or name server that net-vm needs is refused, also to a connected vif', () => {
    const needed = new Map([['10.0.5.3', 'the next hop 10.0.5.3']]);
    const vifs = [backendVif(3, { state: '4', 'hotplug-status': 'connected' }), backendVif(4)];
    expect(outcomes(vifs, { kernel: { ...emptyKernel, needed } })).toEqual({
      '3/0': 'ADDRESS_RESERVED',
      '4/0': 'served',
    });
  });

  test('of two vifs with one address, the connected one keeps it; otherwise the older domain gets it', () => {
    const older = backendVif(3, { ip: '10.0.5.9' });
    const newer = backendVif(4, { ip: '10.0.5.9', 'hotplug-status': 'connected', state: '4' });
    expect(outcomes([older, newer])).toEqual({ '3/0': 'ADDRESS_TAKEN', '4/0': 'served' });
    const pending = backendVif(4, { ip: '10.0.5.9' });
    expect(outcomes([pending, older])).toEqual({ '3/0': 'served', '4/0': 'ADDRESS_TAKEN' });
  });

  const closed = {
    'its policy': [{}, () => ({ code: 'POLICY_INVALID', text: '' }) as const, 'POLICY_INVALID'],
    'a bad MTU': [{ mtu: 'junk' }, undefined, 'BACKEND_INVALID'],
    'another address of it': [{ ip: '10.0.5.9 10.0.5.1' }, undefined, 'ADDRESS_RESERVED'],
  } as const;
  test.each(Object.entries(closed))('a vif that %s closes keeps its address', (_, found) => {
    const [nodes, problemOf, code] = found;
    const served = { ip: '10.0.5.9', state: '4', 'hotplug-status': 'error' };
    const vifs = [backendVif(3, { ip: '10.0.5.9' }), backendVif(4, { ...served, ...nodes })];
    const policyFor: Circumstances['policyFor'] =
      () =>
      ({ domid }) =>
        domid === 4 && problemOf !== undefined ? problemOf() : vmPolicy;
    expect(outcomes(vifs, { policyFor })).toEqual({ '3/0': 'ADDRESS_TAKEN', '4/0': code });
  });

  test('a network and an address within it conflict, in both orders', () => {
    const network = backendVif(3, { ip: '10.0.6.0/24' });
    const host = backendVif(4, { ip: '10.0.6.7' });
    expect(outcomes([network, host])).toEqual({ '3/0': 'served', '4/0': 'ADDRESS_TAKEN' });
    const connected = backendVif(4, { ip: '10.0.6.7', 'hotplug-status': 'connected' });
    expect(outcomes([network, connected])).toEqual({ '3/0': 'ADDRESS_TAKEN', '4/0': 'served' });
  });

  test('a finished vif holds no address, but its firewall elements must go first', () => {
    const old = backendVif(3, { ip: '10.0.5.9', state: '6', online: '0' });
    const heir = backendVif(8, { ip: '10.0.5.9' });
    expect(outcomes([old, heir])).toEqual({ '3/0': 'finished', '8/0': 'served' });
    const element = { set: 'address4', link: linkNameOf('vif3.0'), prefix: '10.0.5.9' } as const;
    const kernel = { ...emptyKernel, elements: new Map([['k', element]]) };
    expect(outcomes([old, heir], { kernel })['8/0']).toBe('waiting for address');
  });

  test('a vif that waits for its link already holds its address', () => {
    const linkNames = new Set([linkNameOf('vif4.0')]);
    const vifs = [backendVif(3, { ip: '10.0.5.9' }), backendVif(4, { ip: '10.0.5.9' })];
    expect(outcomes(vifs, { linkNames })).toEqual({
      '3/0': 'waiting for link',
      '4/0': 'ADDRESS_TAKEN',
    });
  });
});

describe('addresses that only the guest names', () => {
  const vif = backendVif(3, { ip: undefined }, '10.0.7.7');
  const allowed = new Map([['web', [prefix('10.0.7.0/24')]]]);

  test('are refused without a name or without a [[vm]]', () => {
    expect(outcomes([vif], { allowed })).toEqual({ '3/0': 'ADDRESS_UNCONFIRMED' });
    const names = new Map([[domidOf(3), 'other']]);
    expect(outcomes([vif], { allowed, names })).toEqual({ '3/0': 'ADDRESS_UNCONFIRMED' });
  });

  test('are used if the configuration allows them for that VM', () => {
    const names = new Map([[domidOf(3), 'web']]);
    expect(outcomes([vif], { allowed, names })).toEqual({ '3/0': 'served' });
    const greedy = backendVif(3, { ip: undefined }, '10.0.7.7 10.0.8.8');
    expect(outcomes([greedy], { allowed, names })).toEqual({ '3/0': 'ADDRESS_UNCONFIRMED' });
  });

  test('are ignored if dom0 names addresses', () => {
    const both = backendVif(3, { ip: '10.0.5.3' }, '10.0.7.7');
    const [decision] = decideVifs(
      circumstances([both], { allowed, names: new Map([[domidOf(3), 'web']]) }),
    );
    expect(decision).toMatchObject({
      kind: 'served',
      served: { prefixes: [{ text: '10.0.5.3' }] },
    });
  });
});

test('a bad vif changes nothing for the others', () => {
  const good = [backendVif(3), backendVif(4), backendVif(5)];
  const alone = outcomes(good);
  const withBad = outcomes([...good, backendVif(6, { mac: 'junk' }), backendVif(7, { ip: '' })]);
  expect(withBad).toMatchObject(alone);
});
