/** Finds the VM behind a firewall element. */
import type { LinkName } from '../../address/link-name.ts';
import { type Element, elementLink, elementPrefix } from '../state/element.ts';

/**
 * @param vms VM names by link
 * @returns a function from an element to its VM; undefined if the VM is unknown
 */
export const ownersOf = (
  elements: readonly Element[],
  vms: ReadonlyMap<LinkName, string>,
): ((element: Element) => string | undefined) => {
  const byPrefix = new Map<string, string>();
  for (const element of elements) {
    const prefix = elementPrefix(element);
    const link = elementLink(element);
    const vm = link === undefined ? undefined : vms.get(link);
    if (prefix !== undefined && vm !== undefined) byPrefix.set(prefix, vm);
  }
  return (element) => {
    if ('link' in element) return vms.get(element.link);
    if ('prefix' in element) return byPrefix.get(element.prefix);
    return 'address' in element ? byPrefix.get(element.address) : undefined;
  };
};
