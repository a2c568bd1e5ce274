/** The daemon's knowledge of the kernel after its observations and its own changes. */
import { expect, test } from 'vitest';
import { openObservedKernel } from '../../../src/network/daemon/observed-kernel.ts';
import type { Element } from '../../../src/network/state/element.ts';
import type { Firewall } from '../../../src/network/state/kernel-state.ts';
import { linkNameOf } from '../../support/link-name.ts';
import { emptyKernel } from '../store-fixture.ts';

const chain = { name: 'out-web-0123456789ab', rules: [{ expr: [] }] };
const address: Element = { set: 'address4', link: linkNameOf('vif3.0'), prefix: '10.0.5.3' };
const addressKey = 'address4 vif3.0 . 10.0.5.3';
const outTo = (chainName: string): Element => ({
  set: 'out',
  link: linkNameOf('vif3.0'),
  chain: chainName,
});

const openFakes = () => {
  const { elements, chains, ...links } = emptyKernel;
  const kernel = {
    links,
    firewall: { elements, chains, contents: new Map(), nftVersion: '' } as Firewall | undefined,
    duringObservation: (): void => {},
  };
  let losses = 0;
  const observed = openObservedKernel(
    {
      observeLinks: async () => {
        kernel.duringObservation();
        return kernel.links;
      },
      nft: { observe: async () => kernel.firewall },
    },
    () => {
      losses += 1;
    },
  );
  return { observed, kernel, losses: () => losses };
};

test('links and elements are current after their own observation', async () => {
  const { observed } = openFakes();
  expect(observed.due()).toEqual({ links: true, elements: true, verification: false });
  await observed.observeLinks();
  expect(observed.current()).toEqual({ links: true, elements: false });
  await observed.observeElements();
  expect(observed.current()).toEqual({ links: true, elements: true });
  observed.invalidateLinks();
  expect(observed.due()).toEqual({ links: true, elements: false, verification: false });
});

test('a link that changes during the observation leaves the links to be observed', async () => {
  const { observed, kernel } = openFakes();
  kernel.duringObservation = observed.invalidateLinks;
  await observed.observeLinks();
  expect(observed.current().links).toBe(false);
});

test("the daemon's own changes are known at once, and verified later", async () => {
  const { observed } = openFakes();
  await observed.observeElements();
  observed.added({ elements: [address, outTo('out-a')], chains: [chain], replaced: [] });
  expect([...observed.kernel().elements.keys()]).toEqual([addressKey, 'out vif3.0']);
  expect(observed.kernel().chains).toEqual(new Map([[chain.name, 1]]));
  expect(observed.current().elements).toBe(true);
  expect(observed.due().verification).toBe(true);
  observed.added({ elements: [outTo('out-b')], chains: [], replaced: [outTo('out-a')] });
  expect(observed.kernel().elements.get('out vif3.0')).toEqual(outTo('out-b'));
  observed.removed({ elements: [address, outTo('out-b')], chains: [chain.name] });
  expect(observed.kernel()).toEqual(emptyKernel);
});

test('a change replaces the state: a state that a pass has taken stays as it was', () => {
  const { observed } = openFakes();
  const before = observed.kernel();
  observed.added({ elements: [address], chains: [chain], replaced: [] });
  expect(before).toEqual(emptyKernel);
});

test('missing tables are reported, and the elements stay to be observed', async () => {
  const { observed, kernel, losses } = openFakes();
  observed.added({ elements: [address], chains: [], replaced: [] });
  kernel.firewall = undefined;
  await observed.observeElements();
  expect(losses()).toBe(1);
  expect(observed.current().elements).toBe(false);
  expect([...observed.kernel().elements.keys()]).toEqual([addressKey]);
});

test('knows the neighbour entries of the last observation', async () => {
  const { observed, kernel } = openFakes();
  const own = { address: '10.0.5.3', link: linkNameOf('vif3.0') };
  expect(observed.isOurNeighbour(own)).toBe(false);
  const entry = { ...own, mac: '00:16:3e:00:03:00' };
  kernel.links = { ...kernel.links, neighbours: new Map([['first', entry]]) };
  await observed.observeLinks();
  expect(observed.isOurNeighbour(own)).toBe(true);
  expect(observed.isOurNeighbour({ ...own, link: linkNameOf('vif4.0') })).toBe(false);
});
