/** The daemon's knowledge of xenstore and the kernel, and which parts of it are current. */

import type { LinkName } from '../../address/link-name.ts';
import type { Network } from '../kernel/network.ts';
import { isVifName } from '../state/kernel-state.ts';
import type { Backend } from '../store/backend.ts';
import { type ObservedKernel, openObservedKernel } from './observed-kernel.ts';
import { type ObservedVifs, openObservedVifs } from './observed-vifs.ts';

export type ObservedState = ObservedVifs & ObservedKernel;

type Ports = {
  readonly network: Network;
  readonly backend: Backend;
  /** The names of VMs in the configuration. */
  readonly wantedNames: () => ReadonlySet<string>;
};

/** @param tablesLost called when one of the daemon's tables is missing */
export const openObservedState = (
  { network, backend, wantedNames }: Ports,
  tablesLost: () => void,
): ObservedState => ({
  ...openObservedVifs(backend, wantedNames),
  ...openObservedKernel(network, tablesLost),
});

/** The uplinks if the configuration names none: all links except lo and vifs. */
export const everyUplink = (linkNames: ReadonlySet<LinkName>): LinkName[] =>
  [...linkNames].filter((name) => name !== 'lo' && !isVifName(name)).sort();
