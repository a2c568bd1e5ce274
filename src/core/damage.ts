/** What of a vif's footprint the kernel lacks. */
import type { Footprint, ServedVif } from './footprint.ts';
import {
  type Element,
  type KernelState,
  keyOfElement,
  keyOfNeighbour,
  keyOfRoute,
} from './kernel-state.ts';

type Part = {
  readonly served: ServedVif;
  readonly footprint: Footprint;
  readonly missing: readonly Element[];
};

function* damages({ served, footprint, missing }: Part, kernel: KernelState): Generator<string> {
  const link = kernel.links.get(served.link);
  if (link?.up !== true) yield `link ${served.link} down`;
  if (served.mtu !== undefined && link !== undefined && link.mtu !== served.mtu) {
    yield `link ${served.link} mtu ${link.mtu}`;
  }
  for (const element of missing) yield `element ${keyOfElement(element)}`;
  for (const neighbour of footprint.neighbours) {
    const key = keyOfNeighbour(neighbour);
    if (!kernel.neighbours.has(key)) yield `neighbour ${key}`;
  }
  for (const route of footprint.routes) {
    const key = keyOfRoute(route);
    if (!kernel.routes.has(key)) yield `route ${key}`;
    else if (kernel.rivals.get(key)?.isBeatable) yield `route ${key} behind another`;
  }
}

/** For the log: each thing that is missing. */
export const damageOf = (part: Part, kernel: KernelState): readonly string[] => [
  ...damages(part, kernel),
];

export const isComplete = (part: Part, kernel: KernelState): boolean =>
  damages(part, kernel).next().done === true;
