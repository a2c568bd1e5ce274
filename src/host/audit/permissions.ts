/** What a node's permissions allow: the first names the owner, who may do all, and with its letter what everybody else may. */
import type { Permission } from '../../xen/xenstore.ts';

const letterOf = ({ read, write }: Permission): string => {
  if (read) return write ? 'b' : 'r';
  return write ? 'w' : 'n';
};

/** As xenstore-chmod takes them. */
export const permissionText = (permissions: readonly Permission[]): string =>
  permissions.map((permission) => `${letterOf(permission)}${permission.domid}`).join(' ');

export const mayWrite = (permissions: readonly Permission[], domid: number): boolean => {
  const [owner, ...others] = permissions;
  if (owner?.domid === domid) return true;
  const own = others.find((permission) => permission.domid === domid);
  return (own ?? owner)?.write === true;
};

/** Whether anybody but these and dom0, who may do everything anyway, can write the node. */
export const othersMayWrite = (permissions: readonly Permission[], domid: number): boolean => {
  const [owner, ...others] = permissions;
  const trusted = [0, domid];
  if (owner === undefined) return false;
  return (
    owner.write ||
    !trusted.includes(owner.domid) ||
    others.some((permission) => permission.write && !trusted.includes(permission.domid))
  );
};
