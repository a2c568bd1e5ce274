/** Decides whether a vif may have its addresses. */

import { contains, type Prefix } from '../../address/prefix.ts';
import type { Problem } from '../../errors.ts';
import { type AddressHolders, holderOf } from './address-holders.ts';
import type { BackendVif, VifFacts, VmNames } from './backend-vif.ts';
import { areOfSameVm } from './same-vm-vifs.ts';

export type Permissions = {
  /** By VM name: the addresses that the configuration allows to a VM without an address from dom0. */
  readonly allowed: ReadonlyMap<string, readonly Prefix[]>;
  /** VM names by domid, from /ipc/domain-map. */
  readonly names: VmNames;
};

export type Holders = {
  readonly live: AddressHolders<BackendVif>;
  readonly reserved: AddressHolders<string>;
};

/**
 * The vif's addresses: dom0's if there are any, else the guest's claim if the configuration allows all of it.
 */
export const authorise = (
  facts: VifFacts,
  vif: BackendVif,
  { allowed, names }: Permissions,
): readonly Prefix[] | Problem => {
  if (vif.given.length > 0) return vif.given;
  if (facts.frontend.length === 0) {
    return {
      code: 'ADDRESS_MISSING',
      text: 'neither the backend nor the frontend directory has a valid "ip" node',
    };
  }
  const name = names.get(vif.domid);
  const permitted = name === undefined ? [] : (allowed.get(name) ?? []);
  const beyond = facts.frontend.find(
    (prefix) => !permitted.some((range) => contains(range, prefix)),
  );
  if (beyond === undefined) return facts.frontend;
  const who = name ?? `domain ${vif.domid}, which has no name in /ipc/domain-map`;
  const text = `only the guest claims ${beyond.text}: no [[vm]] of the configuration allows it to ${who}`;
  return { code: 'ADDRESS_UNCONFIRMED', text };
};

/** The problem of an address that net-vm has or needs, or that a vif of another VM has. */
export const conflict = (
  vif: BackendVif,
  prefix: Prefix,
  { live, reserved }: Holders,
): Problem | undefined => {
  const owner = holderOf(reserved, prefix);
  if (owner !== undefined) {
    return { code: 'ADDRESS_RESERVED', text: `${prefix.text} overlaps ${owner}` };
  }
  const holder = holderOf(live, prefix);
  if (holder === undefined || areOfSameVm(holder, vif)) return undefined;
  return { code: 'ADDRESS_TAKEN', text: `${prefix.text} belongs to the live vif ${holder.key}` };
};
