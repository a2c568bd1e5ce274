/**
 * Vifs of one VM in several domains: a VM that reboots while its old vif still closes, and an HVM guest with the
 * stubdomain of its emulated card. Net-vm may not read /local/domain/S/target, so the evidence is what dom0 wrote into
 * the backend directories: the same devid, MAC and addresses. What guests say never counts.
 */
import { isProblem } from '../../errors.ts';
import { type BackendVif, type VifKey, xenbus } from './backend-vif.ts';

/** The same for all vifs of a VM; undefined for a vif to which dom0 gives no address. */
const identityOf = ({ devid, facts }: BackendVif): string | undefined =>
  isProblem(facts) || facts.backend.length === 0
    ? undefined
    : [devid, facts.mac, ...facts.backend.map(({ text }) => text)].join(' ');

export const areOfSameVm = (a: BackendVif, b: BackendVif): boolean =>
  a.domid !== b.domid && identityOf(a) !== undefined && identityOf(a) === identityOf(b);

/** Closing by dom0's will, and not by that of a guest that may come back. */
const isLeaving = ({ state, online }: BackendVif): boolean =>
  !online || state === xenbus.closing || state === xenbus.closed;

/**
 * Who is to have the packets: who stays, who has a living frontend, who has a name in /ipc/domain-map (a stubdomain
 * and a VM that was renamed after a crash have none), and the older domain, as an HVM guest is older than its stubdomain.
 */
const preference =
  (names: ReadonlyMap<number, string>) =>
  (a: BackendVif, b: BackendVif): number =>
    Number(isLeaving(a)) - Number(isLeaving(b)) ||
    Number(b.state === xenbus.connected) - Number(a.state === xenbus.connected) ||
    Number(names.has(b.domid)) - Number(names.has(a.domid)) ||
    a.domid - b.domid;

export type SameVmVifs = {
  /** The vifs whose addresses are routed to another vif of the VM. */
  readonly withoutRoute: ReadonlySet<VifKey>;
  /** The domain whose name stands for the VM: the vif's own, or that of another vif if only that has one. */
  readonly namedDomid: (vif: BackendVif) => number;
};

/** @param names from /ipc/domain-map */
export const findSameVmVifs = (
  vifs: readonly BackendVif[],
  names: ReadonlyMap<number, string>,
): SameVmVifs => {
  const groups = new Map<string, BackendVif[]>();
  for (const vif of vifs) {
    const identity = identityOf(vif);
    if (identity !== undefined) groups.set(identity, [...(groups.get(identity) ?? []), vif]);
  }
  const withoutRoute = new Set<VifKey>();
  const domids = new Map<VifKey, number>();
  for (const group of groups.values()) {
    const losers = group.sort(preference(names)).slice(1);
    for (const { key } of losers) withoutRoute.add(key);
    const named = group.find(({ domid }) => names.has(domid));
    if (losers.length === 0 || named === undefined) continue;
    for (const { key, domid } of group) if (!names.has(domid)) domids.set(key, named.domid);
  }
  return { withoutRoute, namedDomid: ({ key, domid }) => domids.get(key) ?? domid };
};
