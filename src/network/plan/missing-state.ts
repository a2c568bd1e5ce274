/** Compares a vif's dataplane with the kernel, and names the missing parts. */

import { type Element, isVerdict, keyOfElement } from '../state/element.ts';
import { type KernelState, keyOfRoute, type Route } from '../state/kernel-state.ts';
import type { BringUp } from './desired.ts';

const hasNoRoute = (route: Route, { routes }: KernelState): boolean =>
  !routes.has(keyOfRoute(route));

/** A route to the same prefix on another link is not missing: a vif of the same VM hands it over. */
const isRouteMissing = (route: Route, kernel: KernelState): boolean =>
  hasNoRoute(route, kernel) &&
  ![...kernel.routes.values()].some(({ prefix }) => prefix === route.prefix);

function* missingLinkState(
  { served, dataplane, stayDown }: BringUp,
  kernel: KernelState,
  lacksRoute: typeof hasNoRoute,
): Generator<string> {
  if (stayDown) return;
  const link = kernel.links.get(served.link);
  if (link?.up !== true) yield `link ${served.link} down`;
  if (served.mtu !== undefined && link !== undefined && link.mtu !== served.mtu) {
    yield `link ${served.link} mtu ${link.mtu}`;
  }
  for (const setting of link?.wrongSettings[served.hasIpv6 ? 'withIpv6' : 'withoutIpv6'] ?? []) {
    yield `setting ${setting} of ${served.link}`;
  }
  for (const key of dataplane.neighbours.keys()) {
    if (!kernel.neighbours.has(key)) yield `neighbour ${key}`;
  }
  for (const [key, route] of dataplane.routes) {
    if (lacksRoute(route, kernel)) yield `route ${key}`;
    else if (kernel.shadowingRoutes.get(key)?.isBeatable) yield `route ${key} behind another`;
  }
}

/** A new policy is not a fault: its chain is new, and its element replaces another. */
function* missingRules({ missing, replaced, chains }: BringUp, kernel: KernelState) {
  const isReplacing = (element: Element): boolean =>
    isVerdict(element) && replaced.some(({ set }) => set === element.set);
  for (const element of missing) {
    if (!isReplacing(element)) yield `element ${keyOfElement(element)}`;
  }
  for (const { name } of chains) if (kernel.chains.has(name)) yield `chain ${name}`;
}

/** The missing parts as texts for the log. If only rules are to be added, the link may not be known. */
export const missingStateOf = (bringUp: BringUp, kernel: KernelState): readonly string[] => [
  ...(bringUp.open ? missingLinkState(bringUp, kernel, isRouteMissing) : []),
  ...missingRules(bringUp, kernel),
];

/** Whether the link's state, MTU, neighbour entries and routes are complete; rules are not checked. */
export const isLinkComplete = (bringUp: BringUp, kernel: KernelState): boolean =>
  missingLinkState(bringUp, kernel, hasNoRoute).next().done === true;
