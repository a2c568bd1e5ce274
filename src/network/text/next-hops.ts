/** Finds the routers that net-vm itself needs. */
import { isVifName } from '../state/kernel-state.ts';

type Hop = {
  readonly gateway?: string;
  readonly via?: { readonly host: string };
  readonly dev?: string;
};

/** The next hops of a route as `ip -j route show` prints it. */
export type RoutedBy = Hop & { readonly dst: string; readonly nexthops?: readonly Hop[] };

/** The next hops of all routes that do not lead through a vif: each address with a text that names its route. */
export const nextHopsOf = (routes: readonly RoutedBy[]): ReadonlyMap<string, string> =>
  new Map(
    routes.flatMap((route) =>
      [route, ...(route.nexthops ?? [])].flatMap(({ gateway, via, dev }): [string, string][] => {
        const address = gateway ?? via?.host;
        return address === undefined || isVifName(dev ?? '')
          ? []
          : [[address, `the next hop ${address} of net-vm's route to ${route.dst}`]];
      }),
    ),
  );
