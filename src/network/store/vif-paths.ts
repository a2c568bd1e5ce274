/** The xenstore paths of vifs, and the changes that event paths report. */
import { type BackendNode, backendNodes, type VifKey, vifKey } from '../vif/backend-vif.ts';

/** A part of xenstore to read again: one vif, one node of a vif, all vifs, or the name map. */
export type StoreChange =
  | { readonly key: VifKey; readonly node: BackendNode | undefined }
  | 'all'
  | 'names';

/** @param domid net-vm's own domid */
export const backendRootOf = (domid: number): string => `/local/domain/${domid}/backend/vif`;

export const vifIdsOf = (key: VifKey): { domid: number; devid: number } => {
  const [domid, devid] = key.split('/').map(Number);
  return { domid: domid ?? 0, devid: devid ?? 0 };
};

export const frontendOf = (key: VifKey): string => {
  const { domid, devid } = vifIdsOf(key);
  return `/local/domain/${domid}/device/vif/${devid}`;
};

/** Whether a node's name or value is a domid or a devid in its usual form. */
export const isDecimal = (text: string): boolean => /^(0|[1-9]\d{0,8})$/.test(text);

const watched: ReadonlySet<string> = new Set(backendNodes);

const isWatched = (node: string): node is BackendNode => watched.has(node);

/**
 * The change that an event path reports; undefined for a node that no decision depends on.
 * @param root net-vm's backend directory
 */
export const changeOf = (root: string, path: string): StoreChange | undefined => {
  if (!path.startsWith(`${root}/`)) return 'all';
  const [domid = '', devid = '', node] = path.slice(root.length + 1).split('/');
  if (!isDecimal(domid) || !isDecimal(devid)) return 'all';
  if (node !== undefined && !isWatched(node)) return undefined;
  return { key: vifKey(Number(domid), Number(devid)), node };
};
