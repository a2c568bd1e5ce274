/** Makes one decision for each vif from xenstore, the configuration and the kernel state. */

import { defaultLinkOf, type LinkName } from '../../address/link-name.ts';
import type { Mac } from '../../address/mac.ts';
import type { Prefix } from '../../address/prefix.ts';
import { isProblem, type Problem } from '../../errors.ts';
import type { VmPolicy } from '../policy/policy-chain.ts';
import { keyOfElement } from '../state/element.ts';
import type { KernelState } from '../state/kernel-state.ts';
import { type AddressHolders, addHolder, holderOf, noHolders } from './address-holders.ts';
import { authorise, conflict, type Holders, type Permissions } from './address-problems.ts';
import { type BackendVif, type VifFacts, type VifKey, xenbus } from './backend-vif.ts';
import { lingeringAddresses, reservedAddresses } from './held-addresses.ts';
import { linkState, linkTaken } from './link-state.ts';
import { inheritedMtu, uplinkMtu } from './mtu.ts';
import { findSameVmVifs, type NameOf, type SameVmVifs } from './same-vm-vifs.ts';
import type { ServedVif } from './served-vif.ts';

export type Decision = { readonly vif: BackendVif } & (
  | {
      readonly kind: 'waiting';
      readonly for: 'netback' | 'link' | 'address' | 'frontend';
      /**
       * The vif's future settings if they are certain: the daemon may install its rules before its link
       * exists.
       */
      readonly prospect: ServedVif | undefined;
    }
  | { readonly kind: 'refused'; readonly problem: Problem }
  | { readonly kind: 'served'; readonly served: ServedVif }
  /** The vif is closed and dom0 has set `online` to 0: vifwatch removes the backend directory. */
  | { readonly kind: 'finished' }
);

export type Circumstances = Permissions & {
  readonly vifs: Iterable<BackendVif>;
  /** The last observation; it may be older than `linkNames`. */
  readonly kernel: KernelState;
  /** The links that exist now. */
  readonly linkNames: ReadonlySet<LinkName>;
  readonly gateways: readonly Prefix[];
  readonly uplinks: readonly LinkName[];
  /** For each vif whose MTU netback refused: that MTU, in bytes. */
  readonly refusedMtus: ReadonlyMap<VifKey, number>;
  /** The policies for vifs that have these addresses. */
  readonly policyFor: (
    nameOf: NameOf,
  ) => (vif: BackendVif, prefixes: readonly Prefix[]) => VmPolicy | Problem;
};

type Claims = Holders & {
  readonly uplinkMtu: number | undefined;
  /** By link name: the vif that has the name, or that got it first in this run. */
  readonly named: Map<LinkName, VifKey>;
  /** Addresses that the firewall still holds for links of vifs that are gone or closed. */
  readonly lingering: AddressHolders<LinkName>;
  readonly sameVm: SameVmVifs;
  readonly policyFor: ReturnType<Circumstances['policyFor']>;
  /** The default link names of all vifs that are not finished. */
  readonly defaultLinks: ReadonlySet<string>;
};

/** Whether `hotplug-status` is `connected`: vifwatch writes it once it serves the vif. */
export const isConnected = (vif: BackendVif): boolean => vif.hotplugStatus === 'connected';

const isFinished = ({ state, online }: BackendVif): boolean => state === xenbus.closed && !online;

const admitted = new WeakMap<BackendVif, ServedVif>();

/** Returns the earlier object while nothing has changed: other modules cache results for the object. */
const asBefore = (vif: BackendVif, served: ServedVif): ServedVif => {
  const before = admitted.get(vif);
  const isSame =
    before !== undefined &&
    (['prefixes', 'policy', 'mtu', 'routed', 'name', 'hasIpv6'] as const).every(
      (key) => before[key] === served[key],
    );
  if (isSame) return before;
  admitted.set(vif, served);
  return served;
};

/** Whether netback has connected the guest, which it does only after vifwatch has served the vif. */
const wasServed = ({ state }: BackendVif): boolean => state === xenbus.connected;

/**
 * From here on the addresses belong to the vif, even while it waits or is refused. A vif that was served keeps
 * those that it can have, although it cannot have others.
 * @returns the problem if the vif cannot have all of them
 */
const claim = (
  vif: BackendVif,
  prefixes: readonly Prefix[],
  claims: Claims,
): Problem | undefined => {
  const problems = prefixes.map((prefix) => conflict(vif, prefix, claims));
  const problem = problems.find((found) => found !== undefined);
  if (problem !== undefined && !wasServed(vif)) return problem;
  prefixes.forEach((prefix, at) => {
    if (problems[at] === undefined) addHolder(claims.live, prefix, vif);
  });
  return problem;
};

/** Checks everything except the link. A vif that its policy closes keeps its addresses and its link's name. */
const admit = (
  vif: BackendVif,
  facts: VifFacts,
  circumstances: Circumstances,
  claims: Claims,
): ServedVif | Problem => {
  const prefixes = authorise(facts, vif, circumstances);
  if (isProblem(prefixes)) return prefixes;
  const policy = claims.policyFor(vif, prefixes);
  const problem = claim(vif, prefixes, claims);
  // The rules use the link's name: two vifs with the same name would get each other's addresses.
  const isNamed = (claims.named.get(facts.link) ?? vif.key) === vif.key;
  if (isNamed && problem === undefined) claims.named.set(facts.link, vif.key);
  if (isProblem(policy)) return policy;
  if (problem !== undefined) return problem;
  if (!isNamed) return linkTaken(facts.link);
  const { key, domid, devid } = vif;
  const refused = circumstances.refusedMtus.get(key);
  const mtu = facts.mtu ?? inheritedMtu(claims.uplinkMtu, prefixes, refused);
  const routed = !claims.sameVm.withoutRoute.has(key);
  const name = claims.sameVm.nameOf(vif);
  const hasIpv6 = !circumstances.kernel.isIpv6Off && prefixes.some(({ family }) => family === 6);
  const given = { ...facts, name, prefixes, policy };
  return asBefore(vif, { key, domid, devid, ...given, mtu, routed, hasIpv6 });
};

const isMacOf = (link: LinkName, mac: Mac, { kernel }: Circumstances): boolean =>
  kernel.elements.has(keyOfElement({ set: 'mac', link, mac }));

/**
 * Whether the firewall still holds one of the addresses for a link with another MAC. A link with the same MAC
 * belonged to the same VM: its flows may continue.
 */
const lingers = (
  { prefixes, link, mac }: ServedVif,
  circumstances: Circumstances,
  { lingering }: Claims,
): boolean =>
  prefixes.some((prefix) => {
    const under = holderOf(lingering, prefix);
    return under !== undefined && under !== link && !isMacOf(under, mac, circumstances);
  });

const waiting = (
  vif: BackendVif,
  reason: 'netback' | 'link' | 'address' | 'frontend',
  prospect?: ServedVif,
): Decision => ({ vif, kind: 'waiting', for: reason, prospect });

const decideLive = (
  vif: BackendVif,
  facts: VifFacts,
  circumstances: Circumstances,
  claims: Claims,
): Decision => {
  const judged = admit(vif, facts, circumstances, claims);
  const isEarly = vif.state === xenbus.initialising;
  if (isProblem(judged)) {
    // netback has not read the directory yet: nothing would see an error now.
    return isEarly ? waiting(vif, 'netback') : { vif, kind: 'refused', problem: judged };
  }
  if (!isConnected(vif)) {
    if (lingers(judged, circumstances, claims)) return waiting(vif, 'address');
    if (vif.state === xenbus.closing || vif.state === xenbus.closed)
      return waiting(vif, 'frontend');
    if (isEarly) return waiting(vif, 'netback', judged);
  }
  const { linkNames, kernel } = circumstances;
  const link = linkState(facts, { linkNames, kernel, defaultLinks: claims.defaultLinks });
  if (typeof link === 'object') return { vif, kind: 'refused', problem: link };
  if (link === 'missing') return waiting(vif, 'link', judged);
  return { vif, kind: 'served', served: judged };
};

const decideVif = (vif: BackendVif, circumstances: Circumstances, claims: Claims): Decision => {
  if (isFinished(vif)) return { vif, kind: 'finished' };
  const { facts, state } = vif;
  if (state === undefined || state < xenbus.initialising) return waiting(vif, 'netback');
  if (!isProblem(facts)) return decideLive(vif, facts, circumstances, claims);
  if (wasServed(vif)) claim(vif, vif.given, claims);
  return state === xenbus.initialising
    ? waiting(vif, 'netback')
    : { vif, kind: 'refused', problem: facts };
};

/**
 * A vif that is or was connected keeps its addresses; of the others, the vif of the older domain comes first.
 */
const bySeniority = (a: BackendVif, b: BackendVif): number =>
  Number(isConnected(b)) - Number(isConnected(a)) ||
  Number(wasServed(b)) - Number(wasServed(a)) ||
  a.domid - b.domid ||
  a.devid - b.devid;

/**
 * Makes one decision per vif. Pure; never throws. Vifs affect each other only if their addresses or link
 * names conflict, or if they belong to the same VM.
 */
export const decideVifs = (circumstances: Circumstances): readonly Decision[] => {
  const vifs = [...circumstances.vifs].sort(bySeniority);
  const liveLinks = new Set<LinkName>();
  for (const vif of vifs) {
    if (isConnected(vif) && !isFinished(vif) && !isProblem(vif.facts))
      liveLinks.add(vif.facts.link);
  }
  const sameVm = findSameVmVifs(
    vifs.filter((vif) => !isFinished(vif)),
    circumstances.names,
  );
  const claims: Claims = {
    uplinkMtu: uplinkMtu(circumstances.kernel, circumstances.uplinks),
    live: noHolders(),
    named: new Map(),
    lingering: lingeringAddresses(circumstances, liveLinks),
    sameVm,
    policyFor: circumstances.policyFor(sameVm.nameOf),
    reserved: reservedAddresses(circumstances),
    defaultLinks: new Set(vifs.filter((vif) => !isFinished(vif)).map(defaultLinkOf)),
  };
  return vifs.map((vif) => decideVif(vif, circumstances, claims));
};
