import { expect, test } from 'vitest';
import { keyOfElement } from '../../../src/network/state/element.ts';
import {
  ingressAddition,
  type ListedIngress,
  parseIngress,
} from '../../../src/network/text/ingress.ts';
import { linkNameOf } from '../../support/link-name.ts';

const rule = (chain: string, expr: unknown = [{ goto: { target: 'frames' } }]): ListedIngress => ({
  rule: { family: 'netdev', chain, expr },
});
const chain = (name: string, more: object = {}): ListedIngress => ({
  chain: { family: 'netdev', name, ...more },
});

test('a chain counts as added only if it leads to the right place from the right device', () => {
  const listed = [
    chain('frames'),
    rule('frames'),
    ...[chain('vif3.0'), rule('vif3.0')],
    ...[chain('vif3.1', { dev: 'vif3.1' }), rule('vif3.1')],
    ...[chain('vif3.2', { dev: ['vif3.2'] }), rule('vif3.2')],
    ...[chain('vif4.0', { dev: 'eth0' }), rule('vif4.0')],
    chain('vif5.0'),
    ...[chain('vif6.0'), rule('vif6.0'), rule('vif6.0')],
    ...[chain('vif7.0'), rule('vif7.0', [{ accept: null }])],
    { chain: { family: 'inet', name: 'vif8.0' } },
  ];
  expect(parseIngress(listed).map(keyOfElement)).toEqual([
    ...['ingress vif3.0', 'ingress vif3.1', 'ingress vif3.2'],
    ...[4, 5, 6, 7].map((domid) => `ingress vif${domid}.0 . broken`),
  ]);
});

test('a chain is added with its device, flushed and filled', () => {
  const [add, flush, fill] = ingressAddition({
    set: 'ingress',
    link: linkNameOf('vif3.0'),
    isBroken: false,
  });
  expect(add).toMatchObject({ add: { chain: { name: 'vif3.0', dev: 'vif3.0', hook: 'ingress' } } });
  expect(flush).toMatchObject({ flush: { chain: { name: 'vif3.0' } } });
  expect(fill).toMatchObject({ add: { rule: rule('vif3.0').rule } });
});
