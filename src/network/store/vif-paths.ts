/** The xenstore paths of vifs, and the changes that event paths report. */
import { type Domid, dom0, parseDomid } from '../../address/domid.ts';
import { type BackendNode, backendNodes, type VifKey, vifKey } from '../vif/backend-vif.ts';

/** A part of xenstore to read again: one vif, one node of a vif, all vifs, or the name map. */
export type StoreChange =
  | { readonly key: VifKey; readonly node: BackendNode | undefined }
  | 'all'
  | 'names';

/** @param domid net-vm's own domid */
export const backendRootOf = (domid: Domid): string => `/local/domain/${domid}/backend/vif`;

/** The ids in a key. `vifKey` made it of a domid, so that the fallback is never used. */
export const vifIdsOf = (key: VifKey): { domid: Domid; devid: number } => {
  const [domid, devid] = key.split('/');
  return { domid: parseDomid(domid) ?? dom0, devid: Number(devid) };
};

export const frontendOf = (key: VifKey): string => {
  const [domid, devid] = key.split('/');
  return `/local/domain/${domid}/device/vif/${devid}`;
};

/** Whether a node's name is a devid in its usual form. */
export const isDevid = (text: string): boolean => /^(0|[1-9]\d{0,8})$/.test(text);

const watched: ReadonlySet<string> = new Set(backendNodes);

const isWatched = (node: string): node is BackendNode => watched.has(node);

/**
 * The change that an event path reports; undefined for a node that no decision depends on.
 * @param root net-vm's backend directory
 */
export const changeOf = (root: string, path: string): StoreChange | undefined => {
  if (!path.startsWith(`${root}/`)) return 'all';
  const [domidText, devid = '', node] = path.slice(root.length + 1).split('/');
  const domid = parseDomid(domidText);
  if (domid === undefined || !isDevid(devid)) return 'all';
  if (node !== undefined && !isWatched(node)) return undefined;
  return { key: vifKey(domid, Number(devid)), node };
};
