/** The vifs whose tracked flows must be judged, since other rules may have let them in. */

import type { LinkName } from '../../address/link-name.ts';
import { isHost } from '../../address/prefix.ts';
import { keyOfElement } from '../state/element.ts';
import type { KernelState } from '../state/kernel-state.ts';
import type { ServedVif } from '../vif/served-vif.ts';

export type UncutVifs = {
  readonly expect: (links: Iterable<LinkName>) => void;
  readonly expectAll: () => void;
  /**
   * Forgets the vifs that are not served any more, and expects those that were not served before: at the first
   * call all, since an earlier daemon may have ended before its cut, or had another configuration; later those
   * whose addresses the firewall holds already.
   */
  readonly review: (served: readonly ServedVif[], kernel: KernelState) => void;
  readonly isDue: (vif: ServedVif) => boolean;
  /** Whether the vif's flows were there before the daemon, and have not been judged since. */
  readonly isUnjudged: (vif: ServedVif) => boolean;
  /** Records that the vifs' flows are being judged; they are due again if their rules change meanwhile. */
  readonly begin: (links: readonly LinkName[]) => void;
  readonly end: (links: readonly LinkName[], hasSucceeded: boolean) => void;
};

/** Whether the firewall may have an address of the vif; flows of addresses that it lost were cut. */
const isHeld = ({ prefixes }: ServedVif, { elements }: KernelState): boolean =>
  prefixes.some(
    (prefix) =>
      !isHost(prefix) ||
      elements.has(keyOfElement({ set: `live${prefix.family}`, prefix: prefix.text })),
  );

const nameOf = ({ key, link }: ServedVif): string => `${key} ${link}`;

export const openUncutVifs = (): UncutVifs => {
  const uncut = new Set<LinkName>();
  const running = new Set<LinkName>();
  const unjudged = new Set<LinkName>();
  let isFirst = true;
  let known: ReadonlySet<string> | undefined;
  return {
    expect: (links) => {
      for (const link of links) uncut.add(link);
    },
    expectAll: () => {
      known = undefined;
    },
    review: (served, kernel) => {
      const present = new Set(served.map(({ link }) => link));
      for (const links of [uncut, unjudged])
        for (const link of links) if (!present.has(link)) links.delete(link);
      const before = known;
      known = new Set(served.map(nameOf));
      for (const vif of served) {
        const isNew = before?.has(nameOf(vif)) !== true;
        if (isNew && (before === undefined || isHeld(vif, kernel))) uncut.add(vif.link);
        if (isFirst) unjudged.add(vif.link);
      }
      isFirst = false;
    },
    isDue: ({ link }) => uncut.has(link) && !running.has(link),
    isUnjudged: ({ link }) => unjudged.has(link),
    begin: (links) => {
      for (const link of links) {
        uncut.delete(link);
        running.add(link);
      }
    },
    end: (links, hasSucceeded) => {
      for (const link of links) {
        running.delete(link);
        if (hasSucceeded) unjudged.delete(link);
        else uncut.add(link);
      }
    },
  };
};
