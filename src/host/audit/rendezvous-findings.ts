/** Checks that only its peers can read this VM's rendezvous nodes, and that dom0 is not a peer. */

import { type Domid, parseDomid } from '../../address/domid.ts';
import { readableBy } from '../../ipc/vchan/nodes.ts';
import { quoted } from '../../text/printable.ts';
import type { Permission } from '../../xen/xenstore.ts';
import type { AuditFinding } from './finding.ts';
import { othersMayWrite, permissionText } from './permissions.ts';

export type OwnNode = {
  /** Relative to this VM's own directory. */
  readonly path: string;
  /** Undefined if this VM may not read them. */
  readonly permissions: readonly Permission[] | undefined;
};

/** The directories of link requests and offers, with one entry for each peer. Dom0 creates ipc/direct. */
export const rendezvousPlaces = ['data/vifwatch/knock', 'data/vifwatch/direct', 'ipc/direct'];

/** Those directories and their parents. */
export const rendezvousParents = ['data', 'data/vifwatch', 'ipc', ...rendezvousPlaces];

/** `isEntry`: the node is the peer's entry itself and not a node below it. */
type Parts = { readonly place: string; readonly peer: string; readonly isEntry: boolean };

const partsOf = (path: string): Parts | undefined => {
  const place = rendezvousPlaces.find((candidate) => path.startsWith(`${candidate}/`));
  if (place === undefined) return undefined;
  const [peer = '', ...rest] = path.slice(place.length + 1).split('/');
  return { place, peer, isEntry: rest.length === 0 };
};

const permissionRemedy = (self: Domid, path: string, wanted: string): string =>
  path.startsWith('ipc')
    ? `in dom0: xenstore-chmod /local/domain/${self}/${path} ${wanted}; or, if that domain is gone, xenstore-rm`
    : 'rc-service vifwatch-agent restart, which creates it again; find out who changed it';

const wrong = (self: Domid, { path, permissions }: OwnNode, wanted: string): AuditFinding => {
  const are =
    permissions === undefined ? 'not readable for this VM' : `"${permissionText(permissions)}"`;
  return {
    code: 'RENDEZVOUS_PERMISSIONS',
    what: `the permissions of ${quoted(path)} are ${are}, but should be "${wanted}"`,
    do: permissionRemedy(self, path, wanted),
  };
};

const parentFindings = (self: Domid, node: OwnNode): readonly AuditFinding[] =>
  node.permissions !== undefined && othersMayWrite(node.permissions, self)
    ? [wrong(self, node, `n${self}`)]
    : [];

const entryFindings = (
  self: Domid,
  node: OwnNode,
  { place, peer, isEntry }: Parts,
): readonly AuditFinding[] => {
  if (peer === '0') {
    if (!isEntry) return [];
    const what = place.endsWith('knock') ? 'asks dom0 for a link' : 'offers dom0 a link';
    return [
      {
        code: 'VCHAN_DOM0',
        what: `this VM ${what}: ${quoted(node.path)}`,
        do: `xenstore-rm ${node.path}, and find out who created it: vifwatch agent never does`,
      },
    ];
  }
  const domid = parseDomid(peer);
  if (domid === undefined) {
    return isEntry
      ? [
          {
            code: 'RENDEZVOUS_PERMISSIONS',
            what: `the name of ${quoted(node.path)} is not a domid`,
            do: `xenstore-rm ${node.path}, and find out who created it`,
          },
        ]
      : [];
  }
  const wanted = permissionText(readableBy(self, domid));
  const accepted = [wanted];
  // An agent may have created this directory as the parent of its nodes, with the default permissions.
  if (isEntry && place === 'data/vifwatch/direct') accepted.push(`n${self}`);
  const are = node.permissions && permissionText(node.permissions);
  return are !== undefined && accepted.includes(are) ? [] : [wrong(self, node, wanted)];
};

/** Returns the findings about the rendezvous. @param nodes the parents, and all nodes below the places */
export const rendezvousFindings = (
  self: Domid,
  nodes: readonly OwnNode[],
): readonly AuditFinding[] =>
  nodes.flatMap((node) => {
    const parts = partsOf(node.path);
    return parts === undefined ? parentFindings(self, node) : entryFindings(self, node, parts);
  });
