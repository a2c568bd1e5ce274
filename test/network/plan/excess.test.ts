/** The kernel's unwanted elements, and plans that are built from what earlier plans have computed. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Element, keyOfElement } from '../../../src/network/state/element.ts';
import { linkNameOf } from '../../support/link-name.ts';
import { seed } from '../../support/seed.ts';
import { backendVif } from '../store-fixture.ts';
import { converge, type Model, modelOf, planFor } from './model-kernel.ts';

const served = converge(modelOf([3, 4, 5].map((domid) => backendVif(domid))));
const known = [...served.kernel.elements.values()];

/** Elements that no vif needs: of a link that is gone, of a vif's link, and of no link. */
const foreign: readonly Element[] = [
  { set: 'vif', link: linkNameOf('vif9.0') },
  { set: 'address4', link: linkNameOf('vif9.0'), prefix: '10.0.5.9' },
  { set: 'address4', link: linkNameOf('vif3.0'), prefix: '10.0.5.9' },
  { set: 'live4', prefix: '10.0.5.9' },
];

const withElements = ({ vifs, kernel }: Model, elements: readonly Element[]): Model => ({
  vifs,
  kernel: {
    ...kernel,
    elements: new Map(elements.map((element) => [keyOfElement(element), element])),
  },
});

const subsets = fc.record({ lost: fc.subarray(known), strays: fc.subarray([...foreign]) });

test('a plan removes the elements that no vif needs, however many other elements are missing', () => {
  fc.assert(
    fc.property(subsets, ({ lost, strays }) => {
      const gone = new Set(lost);
      const rest = known.filter((element) => !gone.has(element));
      const { garbage } = planFor(withElements(served, [...rest, ...strays]));
      expect(garbage.elements.map(keyOfElement).sort()).toEqual(strays.map(keyOfElement).sort());
    }),
    { seed },
  );
});

test('a vif gets exactly what its kernel lacks, whatever an earlier plan has seen', () => {
  fc.assert(
    fc.property(subsets, ({ lost, strays }) => {
      const gone = new Set(lost);
      const rest = known.filter((element) => !gone.has(element));
      planFor(served);
      const { bringUp, host } = planFor(withElements(served, [...rest, ...strays]));
      const added = [...bringUp.flatMap(({ missing }) => missing), ...host.elements];
      const keys = new Set(added.map(keyOfElement));
      expect([...keys].sort()).toEqual(lost.map(keyOfElement).sort());
    }),
    { seed },
  );
});
