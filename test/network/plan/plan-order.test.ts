/** The order in which rules come and go with links and the configuration. */
import { describe, expect, test } from 'vitest';
import { type Element, keyOfElement } from '../../../src/network/state/element.ts';
import { backendVif, emptyKernel, prefix } from '../store-fixture.ts';
import {
  converge,
  hostLinks,
  isIdle,
  type Model,
  modelOf,
  planFor,
  setLinks,
} from './model-kernel.ts';

test('a configured network becomes an element, and a network that is no longer configured goes first', () => {
  const keys = (todo: readonly Element[]): string[] => todo.map(keyOfElement);
  const model = converge(modelOf([]));
  const wide = { configured: [prefix('10.0.7.0/24')] };
  expect(keys(planFor(model, wide).host.elements)).toEqual(['vm_network4 10.0.7.0/24']);
  const element: Element = { set: 'vm_network4', prefix: '10.0.7.0/24' };
  const elements = new Map([...model.kernel.elements, [keyOfElement(element), element]]);
  const stale = { ...model, kernel: { ...model.kernel, elements } };
  expect(isIdle(planFor(stale, wide))).toBe(true);
  const narrow = planFor(stale, { configured: [prefix('10.0.7.0/25')] });
  expect(keys(narrow.garbage.elements)).toEqual(['vm_network4 10.0.7.0/24']);
  expect(narrow.host.elements).toEqual([]);
});

test('an address stays known while a link that may use it is not closed', () => {
  const settled = converge(modelOf([backendVif(3)]));
  const gone = planFor({ ...settled, vifs: new Map() });
  expect(gone.takeDown.links).toEqual(['vif3.0']);
  expect(gone.garbage.elements).toEqual([]);
});

describe('if an ingress chain cannot exist before its link', () => {
  const later = { ingressMayPrecede: false };
  const missing = (model: Model): string[] =>
    planFor(model, later).bringUp.flatMap((bringUp) => bringUp.missing.map(({ set }) => set));

  test('the chain is not prepared for a link that is still to come', () => {
    const kernel = setLinks(emptyKernel, new Set(hostLinks));
    const early = backendVif(3, { state: '1' });
    expect(missing({ vifs: new Map([['3/0', early]]), kernel })).not.toContain('ingress');
    expect(missing(modelOf([backendVif(3)]))).toContain('ingress');
  });

  test('the chain is added again for a new link with a known name', () => {
    const { kernel } = converge(modelOf([backendVif(3)]));
    expect(missing(modelOf([backendVif(3)], kernel))).toEqual(['ingress']);
  });
});
