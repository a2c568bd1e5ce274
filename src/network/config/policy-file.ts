/** Parses a file of /etc/vifwatch/rules.d or a profile of rules/. */
import * as v from 'valibot';
import { parseStrict, prefixSchema } from '../../toml/strict-toml.ts';
import type { NetworkPeer, NetworkRule, PortRange, Rate, Service } from '../policy/policy.ts';

/** One value or a list. An empty list is refused: a reader would take it for "no condition". */
const listOf = <T extends v.GenericSchema>(item: T) =>
  v.pipe(
    v.unknown(),
    v.transform((value): unknown[] => (Array.isArray(value) ? value : [value])),
    v.array(item),
    v.minLength(1, 'is empty'),
  );

const portSchema = v.pipe(
  v.union([v.number(), v.string()]),
  v.rawTransform<number | string, PortRange>(({ dataset, addIssue, NEVER }) => {
    const [, from, to] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(String(dataset.value)) ?? [];
    const range = { from: Number(from), to: Number(to ?? from) };
    if (from !== undefined && range.from <= range.to && range.to <= 65535) return range;
    addIssue({ message: 'not a port (0 to 65535) or a range like "1000-2000"' });
    return NEVER;
  }),
);

const rateSchema = v.pipe(
  v.string(),
  v.rawTransform<string, Rate>(({ dataset, addIssue, NEVER }) => {
    const [, count, per] = /^([1-9]\d{0,5})\/(second|minute|hour)$/.exec(dataset.value) ?? [];
    if (count !== undefined) return { count: Number(count), per: per as Rate['per'] };
    addIssue({ message: 'not a rate like "10/second" (or minute, hour)' });
    return NEVER;
  }),
);

const networks = (family: 4 | 6) =>
  v.optional(
    listOf(
      v.pipe(
        prefixSchema,
        v.check((prefix) => prefix.family === family, `not an IPv${family} address or network`),
      ),
    ),
  );

// RFC 1035's limits, without its escapes.
const hostSchema = v.pipe(
  v.string(),
  v.regex(
    /^(?=.{1,253}$)([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?)(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?)*\.?$/i,
    'not a DNS name',
  ),
);

const vmNames = v.optional(listOf(v.pipe(v.string(), v.minLength(1))));

const entries = {
  action: v.picklist(['accept', 'drop']),
  direction: v.optional(v.picklist(['out', 'in']), 'out'),
  dst4: networks(4),
  dst6: networks(6),
  src4: networks(4),
  src6: networks(6),
  dsthost: v.optional(hostSchema),
  dstvm: vmNames,
  srcvm: vmNames,
  specialtarget: v.optional(v.picklist(['uplink'])),
  proto: v.optional(v.picklist(['tcp', 'udp', 'icmp', 'icmpv6'])),
  dstports: v.optional(listOf(portSchema)),
  icmptype: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(255))),
  limit: v.optional(rateSchema),
  log: v.optional(v.boolean(), false),
  expire: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0))),
  // The kernel stores at most 128 bytes with a rule.
  comment: v.optional(
    v.pipe(
      v.string(),
      v.maxBytes(120),
      v.regex(/^[^\p{Cc}"]*$/u, 'contains a quote or a control character'),
    ),
    '',
  ),
};

type Entry = v.InferOutput<ReturnType<typeof v.strictObject<typeof entries>>>;

const given = (entry: Entry, keys: readonly (keyof Entry)[]): (keyof Entry)[] =>
  keys.filter((key) => entry[key] !== undefined);

/** The first key that contradicts another one; undefined if no key does. */
const contradiction = (entry: Entry): { key: keyof Entry; message: string } | undefined => {
  const { direction, proto } = entry;
  const [wrong] = given(
    entry,
    direction === 'out' ? ['src4', 'src6', 'srcvm'] : ['dst4', 'dst6', 'dsthost', 'dstvm'],
  );
  if (wrong !== undefined) {
    const other = direction === 'out' ? 'in' : 'out';
    return { key: wrong, message: `is for direction = "${other}" only` };
  }
  const peers = [
    given(entry, ['dst4', 'dst6', 'src4', 'src6']).slice(0, 1),
    given(entry, ['dsthost', 'dstvm', 'srcvm', 'specialtarget']),
  ].flat();
  const second = peers[1];
  if (second !== undefined) return { key: second, message: `cannot be combined with ${peers[0]}` };
  if (entry.dstports !== undefined && proto !== 'tcp' && proto !== 'udp') {
    return { key: 'dstports', message: 'needs proto = "tcp" or "udp"' };
  }
  if (entry.icmptype !== undefined && !proto?.startsWith('icmp')) {
    return { key: 'icmptype', message: 'needs proto = "icmp" or "icmpv6"' };
  }
  return undefined;
};

const peerOf = (entry: Entry): NetworkPeer => {
  const prefixes = [entry.dst4, entry.dst6, entry.src4, entry.src6].flatMap(
    (prefixes) => prefixes ?? [],
  );
  if (prefixes.length > 0) return { kind: 'networks', prefixes };
  const names = entry.dstvm ?? entry.srcvm;
  if (names !== undefined) return { kind: 'vms', names };
  if (entry.dsthost !== undefined) return { kind: 'host', name: entry.dsthost.toLowerCase() };
  return { kind: entry.specialtarget ?? 'anyone' };
};

const serviceOf = ({ proto, dstports, icmptype }: Entry): Service => {
  if (proto === undefined) return { kind: 'any' };
  if (proto === 'tcp' || proto === 'udp') return { kind: proto, ports: dstports ?? [] };
  return { kind: proto, type: icmptype };
};

const ruleSchema = v.pipe(
  v.strictObject(entries),
  v.rawCheck(({ dataset, addIssue }) => {
    if (!dataset.typed) return;
    const found = contradiction(dataset.value);
    if (found === undefined) return;
    const { key, message } = found;
    const input = dataset.value;
    addIssue({
      message,
      path: [{ type: 'object', origin: 'value', input, key, value: input[key] }],
    });
  }),
  v.transform(
    (entry): NetworkRule => ({
      action: entry.action,
      direction: entry.direction,
      peer: peerOf(entry),
      service: serviceOf(entry),
      limit: entry.limit,
      log: entry.log,
      expire: entry.expire,
      comment: entry.comment,
    }),
  ),
);

const fileSchema = v.strictObject({
  profile: v.optional(v.pipe(v.string(), v.regex(/^[\w-]+$/, 'not a profile name'))),
  rule: v.optional(v.array(ruleSchema), []),
});

export type PolicyFile = {
  /** The profile whose rules follow the file's own rules. */
  readonly profile: string | undefined;
  readonly rules: readonly NetworkRule[];
};

/**
 * @param file the name for messages
 * @throws VifwatchError CONFIG_INVALID with file, line, column and a caret under the place
 */
export const parsePolicyFile = (file: string, text: string): PolicyFile => {
  const { profile, rule } = parseStrict(file, text, fileSchema);
  return { profile, rules: rule };
};
