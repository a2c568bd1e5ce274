import { expect, test } from 'vitest';
import { type Element, keyOfElement } from '../../../src/network/state/element.ts';
import { linkNameOf } from '../../support/link-name.ts';
import { backendVif } from '../store-fixture.ts';
import { converge, modelOf, planFor } from './model-kernel.ts';

test("another program's range is removed without a cut, since conntrack takes no range", () => {
  const { vifs, kernel } = converge(modelOf([backendVif(3)]));
  const foreign: Element = {
    set: 'network4',
    link: linkNameOf('vif3.0'),
    prefix: '10.66.0.1-10.66.0.5',
  };
  const elements = new Map([...kernel.elements, [keyOfElement(foreign), foreign]]);
  const { garbage, cut } = planFor({ vifs, kernel: { ...kernel, elements } });
  expect(garbage.elements).toEqual([foreign]);
  expect(cut).toEqual([]);
});
