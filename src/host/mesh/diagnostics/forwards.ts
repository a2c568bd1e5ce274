/** Ports of the uplink that are led nowhere, or to two places. */

import { contains, parsePrefix } from '../../../address/prefix.ts';
import { repeatedForwards } from '../../../network/config/config.ts';
import type { Diagnostic } from '../../../text/diagnostic.ts';
import { error } from '../mesh-diagnostic.ts';
import type { MeshFile } from '../mesh-file.ts';

export const forwardDiagnostics = ({ net, vms, at }: MeshFile): readonly Diagnostic[] => {
  const forwards = net?.forwards ?? [];
  const held = [...vms.values()].flatMap(({ ip }) => ip.map(parsePrefix));
  const isHeld = (to: (typeof forwards)[number]['to']): boolean =>
    held.some((prefix) => !('problem' in prefix) && contains(prefix, to));
  return [
    ...repeatedForwards(forwards).map((index) =>
      error(at(['net', 'forward', index, 'port']), 'a second forward of that port; remove one'),
    ),
    ...forwards.flatMap(({ to }, index) =>
      isHeld(to)
        ? []
        : [error(at(['net', 'forward', index, 'to']), `no VM has ${to.text}; correct it`)],
    ),
  ];
};
