/** Whether a vif's device is there, under a name that is the vif's, and only the firewall gets its packets. */

import type { LinkName } from '../../address/link-name.ts';
import type { Problem } from '../../errors.ts';
import type { KernelLink, KernelState } from '../state/kernel-state.ts';
import type { VifFacts } from './backend-vif.ts';

type Links = {
  /** The links that exist now. */
  readonly linkNames: ReadonlySet<LinkName>;
  /** The last observation; it may be older than `linkNames`. */
  readonly kernel: Pick<KernelState, 'links'>;
  /** The default link names of all vifs that are not finished. */
  readonly defaultLinks: ReadonlySet<string>;
};

export const linkTaken = (link: LinkName): Problem => ({
  code: 'LINK_NAME_TAKEN',
  text: `another link is already called ${link}`,
});

const attached = (link: KernelLink | undefined): Problem | undefined =>
  link?.attachment === undefined
    ? undefined
    : {
        code: 'LINK_ATTACHED',
        text: `the firewall does not see all packets of ${link.name}, which has ${link.attachment}`,
      };

/** The state of the vif's own device, which has its default name or the name that vifwatch gave it. */
export const linkState = (
  { defaultLink, link }: VifFacts,
  { linkNames, kernel, defaultLinks }: Links,
): 'present' | 'missing' | Problem => {
  const isUnrenamed = linkNames.has(defaultLink);
  if (link === defaultLink || !linkNames.has(link))
    return isUnrenamed ? (attached(kernel.links.get(defaultLink)) ?? 'present') : 'missing';
  const known = kernel.links.get(link);
  if (known === undefined) return 'missing';
  if (known.alias === defaultLink && !isUnrenamed) return attached(known) ?? 'present';
  // vifwatch renamed this device for a vif that is gone: netback will soon remove the device.
  const isLeaving = known.alias !== undefined && /^vif\d+\.\d+$/.test(known.alias);
  return isLeaving && !defaultLinks.has(known.alias ?? '') ? 'missing' : linkTaken(link);
};
