/** Finds port forwards without a target VM, and ports that are forwarded twice. */

import { contains, parsePrefix } from '../../../address/prefix.ts';
import { repeatedForwards } from '../../../network/config/config.ts';
import type { Diagnostic } from '../../../text/diagnostic.ts';
import { error } from '../mesh-diagnostic.ts';
import type { MeshFile } from '../mesh-file.ts';

/** Checks the port forwards of `[net]`. */
export const forwardDiagnostics = ({ net, vms, at }: MeshFile): readonly Diagnostic[] => {
  const forwards = net?.forwards ?? [];
  const prefixes = [...vms.values()].flatMap(({ ip }) => ip.map(parsePrefix));
  const isAssigned = (to: (typeof forwards)[number]['to']): boolean =>
    prefixes.some((prefix) => !('problem' in prefix) && contains(prefix, to));
  return [
    ...repeatedForwards(forwards).map((index) =>
      error(
        at(['net', 'forward', index, 'port']),
        'this port is already forwarded; remove one forward',
      ),
    ),
    ...forwards.flatMap(({ to }, index) =>
      isAssigned(to)
        ? []
        : [
            error(
              at(['net', 'forward', index, 'to']),
              `no VM has the address ${to.text}; correct it`,
            ),
          ],
    ),
  ];
};
