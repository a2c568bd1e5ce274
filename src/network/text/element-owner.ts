/** Finds the VM behind a firewall element. */
import { type Element, elementAddress, elementLink, isForwardMap } from '../state/kernel-state.ts';

/**
 * @param vms VM names by link
 * @returns a function from an element to its VM; undefined if the VM is unknown
 */
export const ownersOf = (
  elements: readonly Element[],
  vms: ReadonlyMap<string, string>,
): ((element: Element) => string | undefined) => {
  const byAddress = new Map<string, string>();
  for (const element of elements) {
    const address = elementAddress(element);
    const vm = vms.get(elementLink(element) ?? '');
    if (address !== undefined && vm !== undefined) byAddress.set(address, vm);
  }
  return (element) => {
    const { set, parts } = element;
    const link = elementLink(element);
    if (link !== undefined) return vms.get(link);
    return byAddress.get(parts[isForwardMap(set) ? 2 : 0] ?? '');
  };
};
