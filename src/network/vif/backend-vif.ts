/** A vif as its backend directory describes it: raw nodes in, checked facts out. */

import type { Domid } from '../../address/domid.ts';
import { defaultLinkOf, isLinkName, type LinkName } from '../../address/link-name.ts';
import { type Mac, parseMac } from '../../address/mac.ts';
import { normalise, type Prefix, parsePrefix, reservedRange } from '../../address/prefix.ts';
import { isProblem, type Problem } from '../../errors.ts';
import { excerpt } from '../../text/printable.ts';

/** `domid/devid`, as in the backend path. */
export type VifKey = `${number}/${number}`;

/** The values of XenbusState (xen/include/public/io/xenbus.h) that vifwatch needs. */
export const xenbus = {
  initialising: 1,
  initWait: 2,
  connected: 4,
  closing: 5,
  closed: 6,
} as const;

/** The nodes that vifwatch reads in a backend directory. */
export const backendNodes = [
  'frontend',
  'frontend-id',
  'state',
  'online',
  'mac',
  'ip',
  'type',
  'vifname',
  'mtu',
  'hotplug-status',
  'hotplug-error',
] as const;

export type BackendNode = (typeof backendNodes)[number];

export type BackendNodes = Readonly<Partial<Record<BackendNode, string>>>;

/** The VMs' names by domid, from /ipc/domain-map. */
export type VmNames = ReadonlyMap<Domid, string>;

/** The raw nodes of one vif; `frontendIp` is the guest's own claim. */
export type BackendRecord = {
  readonly domid: Domid;
  readonly devid: number;
  readonly nodes: BackendNodes;
  readonly frontendIp: string | undefined;
};

/** The checked values of a vif that vifwatch can serve. */
export type VifFacts = {
  readonly mac: Mac;
  /**
   * Addresses that the guest wrote into its frontend directory: only a claim; empty if missing, invalid or more
   * than 32.
   */
  readonly frontend: readonly Prefix[];
  /** The link name that netback chooses. */
  readonly defaultLink: LinkName;
  /** The link name that dom0 asks for (`vifname`); else the same as `defaultLink`. */
  readonly link: LinkName;
  /** Bytes; undefined if dom0 gives no MTU. */
  readonly mtu: number | undefined;
};

export type BackendVif = {
  readonly key: VifKey;
  readonly domid: Domid;
  readonly devid: number;
  /** XenbusState; undefined while the backend directory has no valid `state` node. */
  readonly state: number | undefined;
  readonly online: boolean;
  readonly hotplugStatus: string;
  readonly hotplugError: string;
  /** The guest's claim, printable; undefined if it does not differ from dom0's addresses. */
  readonly claim: string | undefined;
  /**
   * Addresses that dom0 wrote into the backend directory, whatever else is wrong there; empty if it wrote none,
   * or an invalid one.
   */
  readonly given: readonly Prefix[];
  readonly facts: VifFacts | Problem;
};

export const vifKey = (domid: Domid, devid: number): VifKey => `${domid}/${devid}`;

const problem = (code: Problem['code'], text: string): Problem => ({ code, text });

const number = (text: string | undefined): number | undefined =>
  text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : undefined;

const listOf = (text: string): string[] => text.split(/[\s,]+/).filter((word) => word !== '');

const parseList = (text: string): readonly Prefix[] | Problem => {
  const prefixes: Prefix[] = [];
  for (const word of listOf(text)) {
    const prefix = parsePrefix(word);
    if ('problem' in prefix) return problem('ADDRESS_INVALID', prefix.problem);
    const range = reservedRange(prefix);
    if (range !== undefined) {
      return problem(
        'ADDRESS_RESERVED',
        `${prefix.text} is in ${range.text}, which no guest can have`,
      );
    }
    prefixes.push(prefix);
  }
  return normalise(prefixes);
};

/** libxl writes one address of each family. A guest's node has room for hundreds, which take long to parse. */
const mostClaimed = 32;

/** The addresses that a guest claims; none if one of them is invalid, or if they are too many. */
const parseClaim = (text: string, given: readonly Prefix[]): readonly Prefix[] => {
  if (listOf(text).length > Math.max(mostClaimed, given.length)) return [];
  const claimed = parseList(text);
  return isProblem(claimed) ? [] : claimed;
};

const parseLink = (defaultLink: LinkName, vifname: string | undefined): LinkName | Problem => {
  if (vifname === undefined || vifname === '') return defaultLink;
  // The rules match "vif*": they would not see a link with another name.
  if (/^vif[\w.-]+$/.test(vifname) && isLinkName(vifname)) return vifname;
  const shown = excerpt(vifname);
  return problem(
    'LINK_NAME_INVALID',
    `vifname "${shown}" must be "vif" and then 1 to 12 of A-Za-z0-9_.-`,
  );
};

/** 68 is the smallest MTU for IPv4 (RFC 791), 65535 the largest that Linux accepts. */
const parseMtu = (text: string | undefined): number | undefined | Problem => {
  if (text === undefined || text === '') return undefined;
  const mtu = number(text);
  if (mtu !== undefined && mtu >= 68 && mtu <= 65535) return mtu;
  return problem('BACKEND_INVALID', `mtu "${excerpt(text)}" is not a number from 68 to 65535`);
};

const parseFacts = (
  { domid, devid, nodes, frontendIp }: BackendRecord,
  given: readonly Prefix[] | Problem,
): VifFacts | Problem => {
  if (number(nodes['frontend-id']) !== domid) {
    const claimed = excerpt(nodes['frontend-id'] ?? '');
    return problem(
      'BACKEND_INVALID',
      `frontend-id "${claimed}" does not match the path's ${domid}`,
    );
  }
  if (nodes.frontend !== `/local/domain/${domid}/device/vif/${devid}`) {
    return problem(
      'BACKEND_INVALID',
      `frontend "${excerpt(nodes.frontend ?? '')}" is not this vif's frontend directory`,
    );
  }
  if (nodes.type !== undefined && nodes.type !== 'vif' && nodes.type !== 'vif_ioemu') {
    return problem('BACKEND_INVALID', `type "${excerpt(nodes.type)}" is neither vif nor vif_ioemu`);
  }
  const mac = parseMac(nodes.mac ?? '');
  if (mac === undefined) {
    return problem('MAC_INVALID', `mac "${excerpt(nodes.mac ?? '')}" is not a unicast MAC address`);
  }
  const defaultLink = defaultLinkOf({ domid, devid });
  const link = parseLink(defaultLink, nodes.vifname);
  if (typeof link !== 'string') return link;
  const mtu = parseMtu(nodes.mtu);
  if (typeof mtu === 'object') return mtu;
  if (isProblem(given)) return given;
  return { mac, frontend: parseClaim(frontendIp ?? '', given), defaultLink, link, mtu };
};

const sameTexts = (a: readonly Prefix[], b: readonly Prefix[]): boolean =>
  a.length === b.length && a.every((prefix, index) => prefix.text === b[index]?.text);

const claimOf = (
  facts: VifFacts | Problem,
  given: readonly Prefix[],
  frontendIp: string | undefined,
): string | undefined => {
  if (frontendIp === undefined || isProblem(facts)) return undefined;
  return sameTexts(facts.frontend, given) ? undefined : excerpt(frontendIp);
};

/** Checks the raw nodes of one vif. It never throws: a bad value becomes a Problem. */
export const interpret = (record: BackendRecord): BackendVif => {
  const listed = parseList(record.nodes.ip ?? '');
  const facts = parseFacts(record, listed);
  const given = isProblem(listed) ? [] : listed;
  return {
    key: vifKey(record.domid, record.devid),
    domid: record.domid,
    devid: record.devid,
    state: number(record.nodes.state),
    online: record.nodes.online === '1',
    hotplugStatus: record.nodes['hotplug-status'] ?? '',
    hotplugError: record.nodes['hotplug-error'] ?? '',
    claim: claimOf(facts, given, record.frontendIp),
    given,
    facts,
  };
};
