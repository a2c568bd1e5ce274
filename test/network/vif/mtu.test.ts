import { expect, test } from 'vitest';
import type { LinkName } from '../../../src/address/link-name.ts';
import { plan } from '../../../src/network/plan/plan.ts';
import { keyOfElement } from '../../../src/network/state/element.ts';
import { hostElements } from '../../../src/network/state/host-elements.ts';
import type { KernelLink } from '../../../src/network/state/kernel-state.ts';
import { noWrongSettings } from '../../../src/network/state/link-settings.ts';
import { decideVifs } from '../../../src/network/vif/decide-vifs.ts';
import { linkNameOf } from '../../support/link-name.ts';
import { backendVif, circumstances, emptyKernel, prefix, vmPolicy } from '../store-fixture.ts';

const link = (text: string, mtu: number, up = true): readonly [LinkName, KernelLink] => {
  const name = linkNameOf(text);
  return [
    name,
    {
      name,
      mtu,
      up,
      alias: undefined,
      attachment: undefined,
      foreign: undefined,
      wrongSettings: noWrongSettings,
      addresses: [],
    },
  ];
};

const mtuOf = (
  nodes: Parameters<typeof backendVif>[1],
  links: readonly (readonly [LinkName, KernelLink])[],
  refused: readonly (readonly ['3/0', number])[] = [],
): number | undefined => {
  const [decision] = decideVifs(
    circumstances([backendVif(3, nodes)], {
      kernel: { ...emptyKernel, links: new Map(links) },
      uplinks: ['eth0', 'wg0'].map(linkNameOf),
      refusedMtus: new Map(refused),
    }),
  );
  return decision?.kind === 'served' ? decision.served.mtu : Number.NaN;
};

test("the MTU is dom0's, else the smallest of the uplinks that are up, else the link's own", () => {
  const uplinks = [link('eth0', 1500), link('wg0', 1420), link('other0', 1000)];
  expect(mtuOf({ mtu: '9000' }, uplinks)).toBe(9000);
  expect(mtuOf({}, uplinks)).toBe(1420);
  expect(mtuOf({}, [link('eth0', 9000), link('wg0', 1420, false)])).toBe(9000);
  expect(mtuOf({}, [])).toBe(undefined);
});

test('the MTU is one that the kernel accepts: IPv6 needs 1280, and netback has a maximum', () => {
  expect(mtuOf({}, [link('eth0', 1000)])).toBe(1000);
  expect(mtuOf({ ip: '10.0.5.3 fd00:5::3' }, [link('eth0', 1000)])).toBe(1280);
  expect(mtuOf({}, [link('eth0', 65536)])).toBe(65517);
});

test('an MTU that netback refuses is not requested again until the uplink has another', () => {
  expect(mtuOf({}, [link('eth0', 9000)], [['3/0', 9000]])).toBe(1500);
  expect(mtuOf({}, [link('eth0', 8000)], [['3/0', 9000]])).toBe(8000);
});

const bringUpFor = (links: readonly (readonly [LinkName, KernelLink])[], areCurrent: boolean) => {
  const facts = circumstances([backendVif(3, { state: '4', 'hotplug-status': 'connected' })], {
    kernel: { ...emptyKernel, links: new Map(links) },
  });
  const todo = plan({
    decisions: decideVifs(facts),
    ...facts,
    gateways: [prefix('10.0.5.1')],
    hostElements: [],
    kept: vmPolicy.chains,
    isPanic: false,
    ingressMayPrecede: true,
    busy: new Set(),
    leaving: new Set(),
    current: { links: areCurrent, elements: true },
  });
  return todo.bringUp.map(({ mtu }) => mtu);
};

test('the MTU is set where the link is not known to have it, and never twice', () => {
  const uplink = link('eth0', 1400);
  expect(bringUpFor([uplink, link('vif3.0', 1500)], true)).toEqual([1400]);
  expect(bringUpFor([uplink, link('vif3.0', 1400)], true)).toEqual([undefined]);
  expect(bringUpFor([uplink], true)).toEqual([1400]);
  // netback creates links with this MTU.
  expect(bringUpFor([link('eth0', 1500)], true)).toEqual([undefined]);
});

test('with mss_clamp, the uplinks are also in a second set', () => {
  const facts = {
    uplinks: [linkNameOf('eth0')],
    gateways: [],
    networks: [],
    masquerade: false,
    forwards: [],
  };
  const setsWith = (mssClamp: boolean) => hostElements({ ...facts, mssClamp }).map(keyOfElement);
  expect(setsWith(false)).toEqual(['uplink eth0']);
  expect(setsWith(true)).toEqual(['uplink eth0', 'mss_clamp eth0']);
});
