/** After any history of vifs, the passes end in the state that the store asks for. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { defaultLinkOf } from '../../../src/address/link-name.ts';
import { overlaps } from '../../../src/address/prefix.ts';
import { isProblem } from '../../../src/errors.ts';
import { elementLink, elementPrefix } from '../../../src/network/state/element.ts';
import type { BackendVif, VifKey } from '../../../src/network/vif/backend-vif.ts';
import { areOfSameVm } from '../../../src/network/vif/same-vm-vifs.ts';
import { backendVif, emptyKernel, prefix } from '../store-fixture.ts';
import { converge, keysOf, modelOf, step } from './model-kernel.ts';

const address = fc.constantFrom(
  ...['10.0.5.10', '10.0.5.11', '10.0.5.10 fd00:5::10', '10.0.6.0/24', '10.0.6.5', 'fd00:6::/64'],
  ...['10.0.5.1', '192.168.7.7', 'junk', ''],
);
const arbitraryVif = fc
  .record({
    domid: fc.integer({ min: 3, max: 8 }),
    devid: fc.integer({ min: 0, max: 1 }),
    state: fc.constantFrom('1', '2', '4', '5', '6'),
    online: fc.constantFrom('0', '1'),
    ip: address,
    mac: fc.constantFrom('00:16:3e:00:00:01', '00:16:3e:00:00:02', 'junk'),
    'hotplug-status': fc.constantFrom('', 'connected', 'error'),
  })
  .map(({ domid, devid, ...nodes }) => backendVif(domid, nodes, undefined, devid));
const arbitraryStore = fc.array(arbitraryVif, { maxLength: 8 });
/** A vif that could be served if it did not conflict with another. */
const contender = arbitraryVif
  .filter(({ facts }) => !isProblem(facts))
  .map((vif): BackendVif => ({ ...vif, state: 2, online: true }));
const contenders = fc.array(contender, { minLength: 2, maxLength: 8 });

/** The vifs as the store has them before a daemon has served any. */
const untouched = (vifs: Iterable<BackendVif>): BackendVif[] =>
  [...vifs].map((vif) => ({ ...vif, hotplugStatus: '', hotplugError: '' }));

describe('after any history', () => {
  test('passes end, and their result depends on the store alone', () => {
    fc.assert(
      fc.property(
        fc.array(arbitraryStore, { minLength: 1, maxLength: 6 }),
        fc.nat(3),
        (history, cut) => {
          let kernel = emptyKernel;
          for (const vifs of history) {
            let model = modelOf(vifs, kernel);
            for (let pass = 0; pass < cut; pass++) model = step(model);
            kernel = model.kernel;
          }
          const last = history.at(-1) ?? [];
          const lived = converge(modelOf(last, kernel));
          const fresh = converge(modelOf(last));
          expect(keysOf(lived)).toEqual(keysOf(fresh));
        },
      ),
      { numRuns: 500 },
    );
  });

  test('no address belongs to two VMs or to net-vm, and none is routed to two vifs', () => {
    let compared = 0;
    fc.assert(
      fc.property(fc.oneof(arbitraryStore, contenders), (vifs) => {
        const model = modelOf(untouched(vifs));
        const byLink = new Map<string, BackendVif>(
          [...model.vifs.values()].map((vif) => [defaultLinkOf(vif), vif]),
        );
        const areOfOneVm = (a: string, b: string): boolean => {
          const [first, second] = [byLink.get(a), byLink.get(b)];
          return first !== undefined && second !== undefined && areOfSameVm(first, second);
        };
        const { kernel } = converge(model);
        const assigned = [...kernel.elements.values()].flatMap((element) => {
          const text = elementPrefix(element);
          const link = elementLink(element) ?? '';
          return text === undefined ? [] : [{ link, own: prefix(text) }];
        });
        for (const [index, { link, own }] of assigned.entries()) {
          expect(overlaps(own, prefix('10.0.5.1'))).toBe(false);
          for (const other of assigned.slice(index + 1)) {
            if (link === other.link || areOfOneVm(link, other.link)) continue;
            compared += 1;
            expect(overlaps(own, other.own)).toBe(false);
          }
        }
        const routed = [...kernel.routes.values()].map((route) => route.prefix);
        expect(routed).toEqual([...new Set(routed)]);
      }),
      { numRuns: 500 },
    );
    // A smaller number would mean that the test has compared too little.
    expect(compared).toBeGreaterThan(200);
  });

  test('a vif that cannot be served, and never was, changes nothing for the others', () => {
    const broken = arbitraryVif.filter(({ facts, state }) => isProblem(facts) && state !== 4);
    fc.assert(
      fc.property(arbitraryStore, broken, (vifs, bad) => {
        const others = vifs.filter(({ key }: { key: VifKey }) => key !== bad.key);
        const without = keysOf(converge(modelOf(others)));
        expect(keysOf(converge(modelOf([...others, bad])))).toEqual(without);
      }),
      { numRuns: 300 },
    );
  });
});
