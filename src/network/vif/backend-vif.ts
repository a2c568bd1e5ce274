/** A vif as its backend directory describes it: raw nodes in, checked facts out. */

import { parseMac } from '../../address/mac.ts';
import { normalise, type Prefix, parsePrefix, reservedRange } from '../../address/prefix.ts';
import type { Problem } from '../../errors.ts';
import { isProblem } from '../../errors.ts';
import { excerpt } from '../../text/printable.ts';

/** `domid/devid`, as in the backend path. */
export type VifKey = `${number}/${number}`;

/** XenbusState (xen/include/public/io/xenbus.h), as far as it decides something here. */
export const xenbus = {
  initialising: 1,
  initWait: 2,
  connected: 4,
  closing: 5,
  closed: 6,
} as const;

/** The backend nodes that are read, by their names in xenstore. */
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

/** What was read for one vif; `frontendIp` is what the guest claims. */
export type BackendRecord = {
  readonly domid: number;
  readonly devid: number;
  readonly nodes: BackendNodes;
  readonly frontendIp: string | undefined;
};

/** The checked facts of a vif that could be served. */
export type VifFacts = {
  readonly mac: string;
  /** Addresses that dom0 wrote into the backend directory; empty if it wrote none. */
  readonly backend: readonly Prefix[];
  /** Addresses that the guest wrote into its frontend directory: a claim, empty if none or not valid. */
  readonly frontend: readonly Prefix[];
  /** The name that netback gives the link, and the one it shall have. */
  readonly defaultLink: string;
  readonly link: string;
  /** Bytes; undefined leaves the link's own. */
  readonly mtu: number | undefined;
};

export type BackendVif = {
  readonly key: VifKey;
  readonly domid: number;
  readonly devid: number;
  /** XenbusState; undefined while the directory is half there. */
  readonly state: number | undefined;
  readonly online: boolean;
  readonly hotplugStatus: string;
  readonly hotplugError: string;
  /** What the guest says its addresses are, printable, where that is not what dom0 says. */
  readonly claim: string | undefined;
  readonly facts: VifFacts | Problem;
};

export const vifKey = (domid: number, devid: number): VifKey => `${domid}/${devid}`;

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
      return problem('ADDRESS_RESERVED', `${prefix.text} is in ${range.text}, never a guest's`);
    }
    prefixes.push(prefix);
  }
  return normalise(prefixes);
};

const parseLink = (defaultLink: string, vifname: string | undefined): string | Problem => {
  if (vifname === undefined || vifname === '') return defaultLink;
  // Rules match "vif*": a link with another name would stand outside them. 15 is IFNAMSIZ - 1.
  if (/^vif[\w.-]{1,12}$/.test(vifname)) return vifname;
  const shown = excerpt(vifname);
  return problem(
    'LINK_NAME_INVALID',
    `vifname "${shown}" must be "vif" and 1 to 12 of A-Za-z0-9_.-`,
  );
};

/** 68 and 65535: the least IPv4 and the largest Linux MTU. */
const parseMtu = (text: string | undefined): number | undefined | Problem => {
  if (text === undefined || text === '') return undefined;
  const mtu = number(text);
  if (mtu !== undefined && mtu >= 68 && mtu <= 65535) return mtu;
  return problem('BACKEND_INVALID', `mtu "${excerpt(text)}" is not 68 to 65535`);
};

const parseFacts = ({ domid, devid, nodes, frontendIp }: BackendRecord): VifFacts | Problem => {
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
      `frontend "${excerpt(nodes.frontend ?? '')}" is not this vif's`,
    );
  }
  if (nodes.type !== undefined && nodes.type !== 'vif' && nodes.type !== 'vif_ioemu') {
    return problem('BACKEND_INVALID', `type "${excerpt(nodes.type)}" is neither vif nor vif_ioemu`);
  }
  const mac = parseMac(nodes.mac ?? '');
  if (mac === undefined) {
    return problem('MAC_INVALID', `mac "${excerpt(nodes.mac ?? '')}" is not a unicast address`);
  }
  const defaultLink = `vif${domid}.${devid}`;
  const link = parseLink(defaultLink, nodes.vifname);
  if (typeof link !== 'string') return link;
  const mtu = parseMtu(nodes.mtu);
  if (typeof mtu === 'object') return mtu;
  const backend = parseList(nodes.ip ?? '');
  if (isProblem(backend)) return backend;
  const claimed = parseList(frontendIp ?? '');
  return { mac, backend, frontend: isProblem(claimed) ? [] : claimed, defaultLink, link, mtu };
};

const sameTexts = (a: readonly Prefix[], b: readonly Prefix[]): boolean =>
  a.length === b.length && a.every((prefix, index) => prefix.text === b[index]?.text);

const claimOf = (facts: VifFacts | Problem, frontendIp: string | undefined): string | undefined => {
  if (frontendIp === undefined || isProblem(facts)) return undefined;
  return sameTexts(facts.frontend, facts.backend) ? undefined : excerpt(frontendIp);
};

/** Checks what was read for one vif. Total: bad values become a Problem, never a throw. */
export const interpret = (record: BackendRecord): BackendVif => {
  const facts = parseFacts(record);
  return {
    key: vifKey(record.domid, record.devid),
    domid: record.domid,
    devid: record.devid,
    state: number(record.nodes.state),
    online: record.nodes.online === '1',
    hotplugStatus: record.nodes['hotplug-status'] ?? '',
    hotplugError: record.nodes['hotplug-error'] ?? '',
    claim: claimOf(facts, record.frontendIp),
    facts,
  };
};
