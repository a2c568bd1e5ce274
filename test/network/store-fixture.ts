/** Backend records as dom0 writes them, for tests of the pure code. */

import { defaultLinkOf } from '../../src/address/link-name.ts';
import { type Mac, parseMac } from '../../src/address/mac.ts';
import { type Prefix, parsePrefix } from '../../src/address/prefix.ts';
import type { VmPolicy } from '../../src/network/policy/policy-chain.ts';
import type { KernelState } from '../../src/network/state/kernel-state.ts';
import {
  type BackendNodes,
  type BackendVif,
  interpret,
} from '../../src/network/vif/backend-vif.ts';
import type { Circumstances } from '../../src/network/vif/decide-vifs.ts';
import { domidOf } from '../support/domid.ts';
import { linkNameOf } from '../support/link-name.ts';

/** @throws Error if the text is not an address or a prefix */
export const prefix = (text: string): Prefix => {
  const parsed = parsePrefix(text);
  if ('problem' in parsed) throw new Error(parsed.problem);
  return parsed;
};

/** @throws Error if the text is not a vif's MAC */
export const mac = (text: string): Mac => {
  const parsed = parseMac(text);
  if (parsed === undefined) throw new Error(`not a MAC: ${text}`);
  return parsed;
};

const macOf = (domid: number, devid: number): string =>
  `00:16:3e:00:${domid.toString(16).padStart(2, '0')}:${devid.toString(16).padStart(2, '0')}`;

/** A vif in state 2 with address 10.0.5.<domid>; `nodes` replaces or, with undefined, removes nodes. */
export const backendVif = (
  domid: number,
  nodes: { readonly [Node in keyof BackendNodes]?: string | undefined } = {},
  frontendIp?: string,
  devid = 0,
): BackendVif => {
  const usual = {
    frontend: `/local/domain/${domid}/device/vif/${devid}`,
    'frontend-id': String(domid),
    state: '2',
    online: '1',
    mac: macOf(domid, devid),
    ip: `10.0.5.${domid}`,
    type: 'vif',
    'hotplug-status': '',
  };
  const all = Object.entries({ ...usual, ...nodes });
  const present = Object.fromEntries(all.filter(([, value]) => value !== undefined));
  return interpret({ domid: domidOf(domid), devid, nodes: present, frontendIp });
};

export const emptyKernel: KernelState = {
  links: new Map(),
  elements: new Map(),
  chains: new Map(),
  neighbours: new Map(),
  routes: new Map(),
  shadowingRoutes: new Map(),
  needed: new Map(),
  forwardingOff: [],
  isIpv6Off: false,
};

const chain = (name: string) => ({ name, rules: [{ expr: [{ drop: null }] }] });

/** A policy that drops every packet. */
export const vmPolicy: VmPolicy = {
  source: { key: 'test', rules: [] },
  chains: { out: chain('out-test-0123456789ab'), in: chain('in-test-0123456789ab') },
};

/** The circumstances in which each vif has its link; `more` replaces some of them. */
export const circumstances = (
  vifs: readonly BackendVif[],
  more: Partial<Circumstances> = {},
): Circumstances => ({
  vifs,
  kernel: emptyKernel,
  linkNames: new Set(vifs.map(defaultLinkOf)),
  gateways: [prefix('10.0.5.1'), prefix('fd00:5::1')],
  uplinks: [linkNameOf('eth0')],
  refusedMtus: new Map(),
  allowed: new Map(),
  names: new Map(),
  policyFor: () => () => vmPolicy,
  ...more,
});
