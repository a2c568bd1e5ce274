/** A model of the kernel and the store that applies a plan at once, for property tests of planning. */

import { defaultLinkOf, type LinkName } from '../../../src/address/link-name.ts';
import type { Prefix } from '../../../src/address/prefix.ts';
import type { Planning } from '../../../src/network/plan/desired.ts';
import { hotplugErrorText, type Plan, plan } from '../../../src/network/plan/plan.ts';
import { openVmNetworks } from '../../../src/network/plan/vm-networks.ts';
import { keyOfElement } from '../../../src/network/state/element.ts';
import { hostElements } from '../../../src/network/state/host-elements.ts';
import {
  type KernelLink,
  type KernelState,
  keyed,
  keyOfNeighbour,
  keyOfRoute,
} from '../../../src/network/state/kernel-state.ts';
import { noWrongSettings } from '../../../src/network/state/link-settings.ts';
import type { BackendVif, VifKey } from '../../../src/network/vif/backend-vif.ts';
import { decideVifs } from '../../../src/network/vif/decide-vifs.ts';
import { linkNameOf } from '../../support/link-name.ts';
import { circumstances, emptyKernel, vmPolicy } from '../store-fixture.ts';

export type Model = {
  readonly vifs: ReadonlyMap<VifKey, BackendVif>;
  readonly kernel: KernelState;
};

/** The plan for a model; `configured` holds the networks of the configuration. */
export const planFor = (
  { vifs, kernel }: Model,
  {
    configured = [],
    ...more
  }: Partial<Planning> & { readonly configured?: readonly Prefix[] } = {},
): Plan => {
  const linkNames = new Set(kernel.links.keys());
  const { gateways, ...rest } = circumstances([...vifs.values()], { kernel, linkNames });
  const decisions = decideVifs({ gateways, ...rest });
  const networks = openVmNetworks(configured)(decisions);
  return plan({
    decisions,
    kernel,
    gateways,
    kept: vmPolicy.chains,
    isPanic: false,
    hostElements: hostElements({
      ...{
        uplinks: [linkNameOf('eth0')],
        gateways,
        networks,
        masquerade: false,
        forwards: [],
        mssClamp: false,
      },
    }),
    ingressMayPrecede: true,
    linkNames,
    busy: new Set(),
    leaving: new Set(),
    current: { links: true, elements: true },
    ...more,
  });
};

const dropLinks = (kernel: KernelState, gone: ReadonlySet<LinkName>): KernelState => ({
  ...kernel,
  routes: new Map([...kernel.routes].filter(([, { link }]) => !gone.has(link))),
  neighbours: new Map([...kernel.neighbours].filter(([, { link }]) => !gone.has(link))),
});

/** Sets which links exist; as in the kernel, a link that goes takes its routes and neighbours along. */
export const setLinks = (kernel: KernelState, texts: ReadonlySet<string>): KernelState => {
  const names = new Set([...texts].map(linkNameOf));
  const links = new Map<LinkName, KernelLink>();
  for (const name of names) {
    const fresh = {
      name,
      up: false,
      mtu: 1500,
      alias: undefined,
      attachment: undefined,
      foreign: undefined,
      wrongSettings: noWrongSettings,
      addresses: [],
    };
    links.set(name, kernel.links.get(name) ?? fresh);
  }
  const gone = new Set([...kernel.links.keys()].filter((name) => !names.has(name)));
  return { ...dropLinks(kernel, gone), links };
};

const setUp = (kernel: KernelState, names: readonly LinkName[], up: boolean): KernelState => {
  const links = new Map(kernel.links);
  for (const name of names) {
    const link = links.get(name);
    if (link !== undefined) links.set(name, { ...link, up });
  }
  return up ? { ...kernel, links } : dropLinks({ ...kernel, links }, new Set(names));
};

const applyToKernel = (before: KernelState, todo: Plan): KernelState => {
  const opened = todo.bringUp.filter(({ open }) => open);
  const dataplanes = opened.map(({ dataplane }) => dataplane);
  const openedLinks = opened.map(({ served }) => served.link);
  let kernel = setUp(before, openedLinks, true);
  const replaced = new Set(todo.bringUp.flatMap((r) => r.replaced.map(keyOfElement)));
  const chains = new Map(kernel.chains);
  for (const { name, rules } of [...todo.host.chains, ...todo.bringUp.flatMap((r) => r.chains)])
    chains.set(name, rules.length);
  const elements = new Map([
    ...[...kernel.elements].filter(([key]) => !replaced.has(key)),
    ...keyed([...todo.host.elements, ...todo.bringUp.flatMap((r) => r.missing)], keyOfElement),
  ]);
  const neighbours = new Map([
    ...kernel.neighbours,
    ...dataplanes.flatMap((p) => [...p.neighbours]),
  ]);
  const added = dataplanes.flatMap((p) => [...p.routes]);
  const moved = new Set(added.map(([, { prefix }]) => prefix));
  const routes = new Map([
    ...[...kernel.routes].filter(([, { prefix }]) => !moved.has(prefix)),
    ...added,
  ]);
  for (const route of todo.takeDown.routes) routes.delete(keyOfRoute(route));
  for (const neighbour of todo.takeDown.neighbours) neighbours.delete(keyOfNeighbour(neighbour));
  for (const element of todo.garbage.elements) elements.delete(keyOfElement(element));
  for (const name of todo.garbage.chains) chains.delete(name);
  kernel = { ...kernel, elements, chains, neighbours, routes };
  return setUp(kernel, todo.takeDown.links, false);
};

const applyToStore = (before: Model['vifs'], todo: Plan): Model['vifs'] => {
  const vifs = new Map(before);
  const mark = (key: VifKey, hotplugStatus: string, hotplugError: string): void => {
    const vif = vifs.get(key);
    if (vif !== undefined) vifs.set(key, { ...vif, hotplugStatus, hotplugError });
  };
  for (const { served, open } of todo.bringUp) if (open) mark(served.key, 'connected', '');
  for (const { key, problem } of todo.mark) mark(key, 'error', hotplugErrorText(problem));
  for (const key of todo.finish) vifs.delete(key);
  return vifs;
};

/** Plans one pass and applies it. */
export const step = (model: Model): Model => {
  const todo = planFor(model);
  return {
    kernel: applyToKernel(model.kernel, todo),
    vifs: applyToStore(model.vifs, todo),
  };
};

/** Whether a plan has no step to take. */
export const isIdle = (todo: Plan): boolean =>
  [
    ...[todo.bringUp, todo.host.elements, todo.host.chains, todo.finish, todo.mark],
    ...[todo.garbage.elements, todo.garbage.chains],
    ...[todo.takeDown.links, todo.takeDown.routes, todo.takeDown.neighbours],
  ].every(({ length }) => length === 0);

/** Applies passes until nothing is left to do. @throws Error if ten passes are not enough */
export const converge = (start: Model): Model => {
  let model = start;
  for (let pass = 0; pass < 10; pass++) {
    if (isIdle(planFor(model))) return model;
    model = step(model);
  }
  throw new Error(`no end of passes: ${JSON.stringify(planFor(model))}`);
};

/** net-vm's own links. */
export const hostLinks = ['lo', 'eth0'];

/** A model in which the vifs have their default links, and no pass has run yet. */
export const modelOf = (vifs: readonly BackendVif[], kernel: KernelState = emptyKernel): Model => {
  const defaultLinks = vifs.map(defaultLinkOf);
  return {
    vifs: new Map(vifs.map((vif) => [vif.key, vif])),
    kernel: setLinks(kernel, new Set([...hostLinks, ...defaultLinks])),
  };
};

/** The sorted keys of what the kernel has. */
export const keysOf = ({ kernel }: Model) => ({
  elements: [...kernel.elements.keys()].sort(),
  neighbours: [...kernel.neighbours.keys()].sort(),
  routes: [...kernel.routes.keys()].sort(),
  up: [...kernel.links.values()].flatMap(({ name, up }) => (up ? [name] : [])).sort(),
});
