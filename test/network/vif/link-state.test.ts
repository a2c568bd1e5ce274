import { describe, expect, test } from 'vitest';
import { linkNameOf } from '../../support/link-name.ts';
import { backendVif } from '../store-fixture.ts';
import { kernelWith, link, outcomes } from './outcomes.ts';

describe('the link', () => {
  const renamed = backendVif(3, { vifname: 'vif-web' });

  test('is waited for', () => {
    expect(outcomes([backendVif(3)], { linkNames: new Set() })).toEqual({
      '3/0': 'waiting for link',
    });
  });

  test('is found under its first name before it is renamed', () => {
    expect(outcomes([renamed])).toEqual({ '3/0': 'served' });
  });

  test('is found by its alias after it was renamed', () => {
    const linkNames = new Set([linkNameOf('vif-web')]);
    const kernel = kernelWith(link('vif-web', { alias: 'vif3.0' }));
    expect(outcomes([renamed], { linkNames, kernel })).toEqual({ '3/0': 'served' });
  });

  test.each([
    ['', 'vif3.0', undefined],
    ['vif-web', 'vif-web', 'vif3.0'],
  ])(
    'is refused while something else gets its packets first (vifname "%s")',
    (vifname, name, alias) => {
      const attached = kernelWith(link(name, { alias, attachment: 'the master br0' }));
      const linkNames = new Set([linkNameOf(name)]);
      const vif = backendVif(3, { vifname, state: '4', 'hotplug-status': 'connected' });
      expect(outcomes([vif], { kernel: attached, linkNames })).toEqual({ '3/0': 'LINK_ATTACHED' });
      const free = kernelWith(link(name, { alias }));
      expect(outcomes([vif], { kernel: free, linkNames })).toEqual({ '3/0': 'served' });
    },
  );

  test('is never touched if it has the wanted name but is foreign', () => {
    const both = new Set(['vif3.0', 'vif-web'].map(linkNameOf));
    const foreign = kernelWith(link('vif-web'));
    expect(outcomes([renamed], { linkNames: both, kernel: foreign })).toEqual({
      '3/0': 'LINK_NAME_TAKEN',
    });
    const linkNames = new Set([linkNameOf('vif-web')]);
    const kernel = kernelWith(link('vif-web'));
    expect(outcomes([renamed], { linkNames, kernel })).toEqual({ '3/0': 'LINK_NAME_TAKEN' });
  });
});

test("a vif waits for a name whose link's vif is gone, and is refused a name whose link's vif is alive", () => {
  const heir = backendVif(4, { vifname: 'vif-web' });
  const linkNames = new Set(['vif4.0', 'vif-web'].map(linkNameOf));
  const kernel = kernelWith(link('vif-web', { alias: 'vif3.0' }));
  expect(outcomes([heir], { linkNames, kernel })).toEqual({ '4/0': 'waiting for link' });
  const bearer = backendVif(3, { vifname: 'vif-web', 'hotplug-status': 'connected' });
  expect(outcomes([bearer, heir], { linkNames: new Set([...linkNames]), kernel })).toMatchObject({
    '4/0': 'LINK_NAME_TAKEN',
  });
});

test('of two vifs with the same vifname, the first is served and the second is refused', () => {
  const both = [backendVif(3, { vifname: 'vif-web' }), backendVif(4, { vifname: 'vif-web' })];
  expect(outcomes(both)).toEqual({ '3/0': 'served', '4/0': 'LINK_NAME_TAKEN' });
});
