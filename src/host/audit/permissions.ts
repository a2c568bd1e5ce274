/**
 * Evaluates a xenstore node's permissions. The first entry names the owner, who may read and write. Its
 * letter is the right of every domain that the other entries do not list.
 */
import { type Domid, dom0 } from '../../address/domid.ts';
import type { Permission } from '../../xen/xenstore.ts';

const letterOf = ({ read, write }: Permission): string => {
  if (read) return write ? 'b' : 'r';
  return write ? 'w' : 'n';
};

/** Formats permissions as xenstore-chmod accepts them: "n5 r7". */
export const permissionText = (permissions: readonly Permission[]): string =>
  permissions.map((permission) => `${letterOf(permission)}${permission.domid}`).join(' ');

/** True if the permissions let the domain write the node. */
export const mayWrite = (permissions: readonly Permission[], domid: Domid): boolean => {
  const [owner, ...others] = permissions;
  if (owner?.domid === domid) return true;
  const own = others.find((permission) => permission.domid === domid);
  return (own ?? owner)?.write === true;
};

/** True if a domain other than `domid` and dom0 can write the node. Dom0 can write every node. */
export const othersMayWrite = (permissions: readonly Permission[], domid: Domid): boolean => {
  const [owner, ...others] = permissions;
  const trusted: readonly number[] = [dom0, domid];
  if (owner === undefined) return false;
  return (
    owner.write ||
    !trusted.includes(owner.domid) ||
    others.some((permission) => permission.write && !trusted.includes(permission.domid))
  );
};
