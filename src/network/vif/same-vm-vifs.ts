/**
 * Finds vifs that belong to the same VM but to different domains. There are two cases: a VM reboots while its
 * old vif still closes, and an HVM guest has a stubdomain for its emulated network card. net-vm cannot read
 * /local/domain/S/target. It therefore compares the nodes that dom0 wrote into the backend directories: vifs
 * of the same VM have the same devid, MAC and addresses. Nodes that guests write are ignored.
 */
import { isProblem } from '../../errors.ts';
import { type BackendVif, type VifKey, type VmNames, xenbus } from './backend-vif.ts';

/** A text that is equal for vifs of the same VM; undefined for a vif without an address from dom0. */
const identityOf = ({ devid, given, facts }: BackendVif): string | undefined =>
  isProblem(facts) || given.length === 0
    ? undefined
    : [devid, facts.mac, ...given.map(({ text }) => text)].join(' ');

/** Whether the vifs belong to different domains of the same VM. */
export const areOfSameVm = (a: BackendVif, b: BackendVif): boolean =>
  a.domid !== b.domid && identityOf(a) !== undefined && identityOf(a) === identityOf(b);

/** Whether the vif closes, or dom0 has asked for it. */
const isLeaving = ({ state, online }: BackendVif): boolean =>
  !online || state === xenbus.closing || state === xenbus.closed;

/**
 * Sorts the vif that gets the routes to the front. The criteria, in this order: the vif is not closing; its
 * state is `connected`; its domain has a name in /ipc/domain-map (a stubdomain and a VM that was renamed
 * after a crash have no name); its domain is older (an HVM guest is older than its stubdomain).
 */
const preference =
  (names: VmNames) =>
  (a: BackendVif, b: BackendVif): number =>
    Number(isLeaving(a)) - Number(isLeaving(b)) ||
    Number(b.state === xenbus.connected) - Number(a.state === xenbus.connected) ||
    Number(names.has(b.domid)) - Number(names.has(a.domid)) ||
    a.domid - b.domid;

/**
 * The name of a vif's VM: that of the vif's own domain or, if that has none, of another domain of the VM.
 * Policies, rules and flows all use it; undefined for a VM without a name.
 */
export type NameOf = (vif: Pick<BackendVif, 'key' | 'domid'>) => string | undefined;

export type SameVmVifs = {
  /** The vifs whose addresses are routed to another vif of the same VM. */
  readonly withoutRoute: ReadonlySet<VifKey>;
  readonly nameOf: NameOf;
};

/** Groups the vifs by VM. @param names VM names by domid, from /ipc/domain-map */
export const findSameVmVifs = (vifs: readonly BackendVif[], names: VmNames): SameVmVifs => {
  const groups = new Map<string, BackendVif[]>();
  for (const vif of vifs) {
    const identity = identityOf(vif);
    if (identity !== undefined) groups.set(identity, [...(groups.get(identity) ?? []), vif]);
  }
  const withoutRoute = new Set<VifKey>();
  const inherited = new Map<VifKey, string | undefined>();
  for (const group of groups.values()) {
    const losers = group.sort(preference(names)).slice(1);
    for (const { key } of losers) withoutRoute.add(key);
    const named = group.find(({ domid }) => names.has(domid));
    if (losers.length === 0 || named === undefined) continue;
    for (const { key } of group) inherited.set(key, names.get(named.domid));
  }
  return { withoutRoute, nameOf: ({ key, domid }) => names.get(domid) ?? inherited.get(key) };
};
