/** Whether this VM's own part of the rendezvous is for its peers alone, and dom0 is none of them. */

import { readableBy } from '../../ipc/vchan/nodes.ts';
import { quoted } from '../../text/printable.ts';
import type { Permission } from '../../xen/xenstore.ts';
import type { AuditFinding } from './finding.ts';
import { othersMayWrite, permissionText } from './permissions.ts';

export type OwnNode = {
  /** Below this VM's own directory. */
  readonly path: string;
  /** Undefined if this VM itself may not see them. */
  readonly permissions: readonly Permission[] | undefined;
};

/** Where a VM knocks and offers, by itself and where dom0 wants it; one entry for each peer. */
export const rendezvousPlaces = ['data/vifwatch/knock', 'data/vifwatch/direct', 'ipc/direct'];

/** What leads there. */
export const rendezvousParents = ['data', 'data/vifwatch', 'ipc', ...rendezvousPlaces];

type Parts = { readonly place: string; readonly peer: string; readonly isEntry: boolean };

const partsOf = (path: string): Parts | undefined => {
  const place = rendezvousPlaces.find((candidate) => path.startsWith(`${candidate}/`));
  if (place === undefined) return undefined;
  const [peer = '', ...rest] = path.slice(place.length + 1).split('/');
  return { place, peer, isEntry: rest.length === 0 };
};

const wayOut = (self: number, path: string, wanted: string): string =>
  path.startsWith('ipc')
    ? `in dom0: xenstore-chmod /local/domain/${self}/${path} ${wanted}; or, if that domain is gone, xenstore-rm`
    : `rc-service vifwatch-agent restart, which makes it anew; find out who changed it`;

const wrong = (self: number, { path, permissions }: OwnNode, wanted: string): AuditFinding => {
  const are =
    permissions === undefined ? 'not for this VM to see' : `"${permissionText(permissions)}"`;
  return {
    code: 'RENDEZVOUS_PERMISSIONS',
    what: `the permissions of ${quoted(path)} are ${are}, and should be "${wanted}"`,
    do: wayOut(self, path, wanted),
  };
};

const parentFindings = (self: number, node: OwnNode): readonly AuditFinding[] =>
  node.permissions !== undefined && othersMayWrite(node.permissions, self)
    ? [wrong(self, node, `n${self}`)]
    : [];

const entryFindings = (
  self: number,
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
        do: `xenstore-rm ${node.path}, and find out who made it: no agent does`,
      },
    ];
  }
  if (!/^[1-9]\d{0,4}$/.test(peer)) {
    return isEntry
      ? [
          {
            code: 'RENDEZVOUS_PERMISSIONS',
            what: `${quoted(node.path)} is for no domain`,
            do: `xenstore-rm ${node.path}, and find out who made it`,
          },
        ]
      : [];
  }
  const wanted = permissionText(readableBy(self, Number(peer)));
  const accepted = [wanted];
  // A directory that an agent has made on the way to its nodes.
  if (isEntry && place === 'data/vifwatch/direct') accepted.push(`n${self}`);
  const are = node.permissions && permissionText(node.permissions);
  return are !== undefined && accepted.includes(are) ? [] : [wrong(self, node, wanted)];
};

/** @param nodes the parents, and all below the places */
export const rendezvousFindings = (
  self: number,
  nodes: readonly OwnNode[],
): readonly AuditFinding[] =>
  nodes.flatMap((node) => {
    const parts = partsOf(node.path);
    return parts === undefined ? parentFindings(self, node) : entryFindings(self, node, parts);
  });
