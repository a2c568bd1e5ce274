/**
 * Compiles a policy to nftables chains, one per direction. A chain's name contains its content's hash, so it
 * never changes.
 */
import { createHash } from 'node:crypto';
import type { LinkName } from '../../address/link-name.ts';
import { type Family, type Prefix, parsePrefix } from '../../address/prefix.ts';
import {
  isActive,
  type NetworkPolicy,
  type NetworkRule,
  type PortRange,
  type Service,
} from './policy.ts';

/** One rule in the form of libnftables-json(5). */
type ChainRule = { readonly expr: readonly unknown[]; readonly comment?: string };

export type Chain = { readonly name: string; readonly rules: readonly ChainRule[] };

/** `out` judges packets that a VM sends, `in` judges packets to it. */
export type PolicyChains = { readonly out: Chain; readonly in: Chain };

/** A VM's policy: `source` is the policy as written, and `chains` enforce it. */
export type VmPolicy = { readonly source: NetworkPolicy; readonly chains: PolicyChains };

/** The facts behind the names in rules. */
export type PolicyFacts = {
  /** Seconds since the epoch. */
  readonly nowS: number;
  /** The links of all vifs of the VM that has this name in /ipc/domain-map. */
  readonly linksOf: (vm: string) => readonly LinkName[];
  /** The addresses of a DNS name; undefined if it was never resolved. */
  readonly addressesOf: (host: string) => readonly string[] | undefined;
};

type Direction = NetworkRule['direction'];

const match = (left: unknown, right: unknown) => ({ match: { op: '==', left, right } });
const meta = (key: string) => ({ meta: { key } });
const payload = (protocol: string, field: string) => ({ payload: { protocol, field } });
/** One item becomes a plain value, as nft lists it. */
const anyOf = (items: readonly unknown[]) => (items.length === 1 ? items[0] : { set: items });

const networkJson = ({ text, length }: Prefix): unknown => {
  const [addr = '', len] = text.split('/');
  return len === undefined ? addr : { prefix: { addr, len: length } };
};

const byFamily = (direction: Direction, prefixes: readonly Prefix[]): unknown[][] =>
  ([4, 6] satisfies Family[]).flatMap((family) => {
    const own = prefixes.filter((prefix) => prefix.family === family);
    if (own.length === 0) return [];
    const field = payload(family === 4 ? 'ip' : 'ip6', direction === 'out' ? 'daddr' : 'saddr');
    return [[match(field, anyOf(own.map(networkJson)))]];
  });

const prefixesOf = (addresses: readonly string[]): Prefix[] =>
  addresses.map(parsePrefix).flatMap((prefix) => ('problem' in prefix ? [] : [prefix]));

/** One list of matches for each nft rule that is needed; an empty result if no peer matches now. */
const peerMatches = (rule: NetworkRule, facts: PolicyFacts): unknown[][] => {
  const { peer, direction, action } = rule;
  const link = meta(direction === 'out' ? 'oifname' : 'iifname');
  switch (peer.kind) {
    case 'anyone':
      return [[]];
    case 'networks':
      return byFamily(direction, peer.prefixes);
    case 'uplink':
      return [[match(link, '@uplink')]];
    case 'vms': {
      const links = [...new Set(peer.names.flatMap(facts.linksOf))].sort();
      return links.length === 0 ? [] : [[match(link, anyOf(links))]];
    }
    case 'host': {
      const addresses = facts.addressesOf(peer.name);
      // Fail closed: an unresolved name has no address to accept, and for a drop rule any address could
      // belong to it.
      if (addresses === undefined) return action === 'accept' ? [] : [[]];
      return byFamily(direction, prefixesOf([...addresses].sort()));
    }
  }
};

const portJson = ({ from, to }: PortRange): unknown => (from === to ? from : { range: [from, to] });

const serviceMatches = (service: Service): unknown[] => {
  switch (service.kind) {
    case 'any':
      return [];
    case 'icmp':
    case 'icmpv6':
      return service.type === undefined
        ? [match(meta('l4proto'), service.kind === 'icmp' ? 'icmp' : 'ipv6-icmp')]
        : [match(payload(service.kind, 'type'), service.type)];
    default: {
      const { kind, ports } = service;
      if (ports.length === 0) return [match(meta('l4proto'), kind)];
      return [match(payload(kind, 'dport'), anyOf(ports.map(portJson)))];
    }
  }
};

/** 5 lines per second and rule, so that a flood cannot fill the log. */
const logLimit = { limit: { rate: 5, burst: 5, per: 'second' } };

/** The kernel allows 127 characters for a log prefix; 60 for the key keep it well below. */
const logPrefix = (key: string, { direction, action }: NetworkRule): string =>
  `vifwatch ${key.slice(0, 60)} ${direction} ${action}: `;

const verdictOf = ({ action, direction }: NetworkRule): unknown => {
  if (action === 'drop') return { drop: null };
  return { goto: { target: direction === 'out' ? 'may_leave' : 'to_own_address' } };
};

const chainRules = (key: string, rule: NetworkRule, facts: PolicyFacts): ChainRule[] => {
  const comment = rule.comment === '' ? {} : { comment: rule.comment };
  const limit =
    rule.limit === undefined
      ? []
      : [{ limit: { rate: rule.limit.count, burst: 5, per: rule.limit.per } }];
  return peerMatches(rule, facts).flatMap((peer): ChainRule[] => {
    const matches = [...peer, ...serviceMatches(rule.service)];
    const log = { log: { prefix: logPrefix(key, rule) } };
    return [
      ...(rule.log ? [{ expr: [...matches, logLimit, log] }] : []),
      { expr: [...matches, ...limit, { counter: null }, verdictOf(rule)], ...comment },
    ];
  });
};

/** Replaces characters that nft does not accept in a chain name. */
const wordOf = (key: string): string => key.replaceAll(/[^\w.-]/g, '_').slice(0, 40);

const chain = (direction: Direction, { key, rules }: NetworkPolicy, facts: PolicyFacts): Chain => {
  const own = rules.filter((rule) => rule.direction === direction && isActive(rule, facts.nowS));
  const compiled = own.flatMap((rule) => chainRules(key, rule, facts));
  const content = JSON.stringify([key, compiled]);
  // 48 bits make a collision among some thousand chains very improbable.
  const digest = createHash('sha256').update(content).digest('hex').slice(0, 12);
  return { name: `${direction}-${wordOf(key)}-${digest}`, rules: compiled };
};

/** Compiles both directions. Expired rules are left out. */
export const policyChains = (policy: NetworkPolicy, facts: PolicyFacts): PolicyChains => ({
  out: chain('out', policy, facts),
  in: chain('in', policy, facts),
});

/** Whether the name is that of a policy chain, and not of a chain in rules/ or of the site. */
export const isPolicyChain = (name: string): boolean => /^(out|in)-.*-[0-9a-f]{12}$/.test(name);
