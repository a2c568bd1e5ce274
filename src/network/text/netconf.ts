/** Reads the settings of links that the kernel reports with netconf messages. */
import type { LinkName } from '../../address/link-name.ts';
import { reportedLinkName } from '../../address/link-name.ts';
import type { LinkSetting } from '../state/kernel-state.ts';

/** An entry of `ip -j netconf show`; a kernel without IPv6 prints none of its family. */
export type ListedNetconf = {
  readonly family: string;
  /** A link, or `all` or `default`. */
  readonly interface?: string;
  readonly forwarding?: boolean;
  readonly proxy_neigh?: boolean;
};

type Settings = {
  /** By link: the settings that are not as a vif needs them. */
  readonly wrong: ReadonlyMap<LinkName, ReadonlySet<LinkSetting>>;
  /** The families whose forwarding is off for the whole host. */
  readonly forwardingOff: readonly ('ipv4' | 'ipv6')[];
};

const familyOf = ({ family }: ListedNetconf): 'ipv4' | 'ipv6' | undefined =>
  family === 'inet' ? 'ipv4' : family === 'inet6' ? 'ipv6' : undefined;

const wrongIn = (listed: ListedNetconf): readonly LinkSetting[] => {
  const family = familyOf(listed);
  if (family === undefined) return [];
  return [
    ...(listed.forwarding === false ? ([`${family} forwarding`] as const) : []),
    ...(family === 'ipv6' && listed.proxy_neigh === false ? (['ipv6 proxy_ndp'] as const) : []),
  ];
};

/** If forwarding is off for the whole host, it is not reported for each link as well. */
export const settingsOf = (listed: readonly ListedNetconf[]): Settings => {
  const forwardingOff = listed.flatMap((entry) =>
    entry.interface === 'all' && entry.forwarding === false ? (familyOf(entry) ?? []) : [],
  );
  const isOfHost = (setting: LinkSetting): boolean =>
    forwardingOff.some((family) => setting === `${family} forwarding`);
  const wrong = new Map<LinkName, Set<LinkSetting>>();
  for (const entry of listed) {
    const { interface: name } = entry;
    if (name === undefined || name === 'all' || name === 'default') continue;
    const link = reportedLinkName(name);
    const own = wrong.get(link) ?? new Set();
    for (const setting of wrongIn(entry)) if (!isOfHost(setting)) own.add(setting);
    wrong.set(link, own);
  }
  return { wrong, forwardingOff };
};
