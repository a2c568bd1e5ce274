/** Parses the flows that `conntrack -L -o id` prints, and builds the arguments of `conntrack -D`. */
import { contains, type Family, isHost, type Prefix, parsePrefix } from '../../address/prefix.ts';

/** The header fields that all packets of one direction share. */
type Tuple = {
  readonly source: string;
  readonly destination: string;
  readonly ports: { readonly source: number; readonly destination: number } | undefined;
  readonly icmp: { readonly type: number; readonly code: number; readonly id: number } | undefined;
  /** The keys of GRE, in hexadecimal. */
  readonly keys: { readonly source: string; readonly destination: string } | undefined;
};

/** A tracked flow. The two tuples mirror each other, except for translated addresses and ports. */
export type Flow = {
  readonly family: Family;
  /** The number of the IP protocol: conntrack has a name for few of them. */
  readonly protocol: number;
  /** The tuple of the first packet, before its translation. */
  readonly original: Tuple;
  readonly reply: Tuple;
  /** The kernel's id of this conntrack entry. */
  readonly id: string;
};

/**
 * The first value of a key in `line`. It uses no regular expression: a table can have hundreds of thousands
 * of lines, and the daemon serves no vif meanwhile.
 */
const textAfter = (line: string, key: string, after = 0): string | undefined => {
  const at = line.indexOf(key, after);
  if (at < 0) return undefined;
  const from = at + key.length;
  const to = line.indexOf(' ', from);
  return line.slice(from, to < 0 ? line.length : to);
};

const numberOf = (line: string, key: string): number | undefined => {
  const text = textAfter(line, key);
  return text === undefined ? undefined : Number(text);
};

type Ends = Pick<Tuple, 'source' | 'destination'>;

const endsOf = (line: string, after = 0): Ends | undefined => {
  const source = textAfter(line, ' src=', after);
  const destination = textAfter(line, ' dst=', after);
  return source === undefined || destination === undefined ? undefined : { source, destination };
};

/** The numbers of the protocols whose ports every kernel tracks. */
const tcp = 6;
const udp = 17;

/**
 * The ports of one direction. A kernel that does not track the ports of DCCP, SCTP or UDP-Lite has none, but
 * conntrack prints zeros, which it does not accept back.
 */
const portsOf = (part: string, protocol: number): Tuple['ports'] => {
  const source = numberOf(part, ' sport=');
  const destination = numberOf(part, ' dport=');
  if (source === undefined || destination === undefined) return undefined;
  const isTracked = source + destination > 0 || protocol === tcp || protocol === udp;
  return isTracked ? { source, destination } : undefined;
};

/** @param part the part of a line that describes one direction */
const tupleOf = (part: string, ends: Ends, protocol: number): Tuple => {
  const type = numberOf(part, ' type=');
  const srckey = textAfter(part, ' srckey=');
  const dstkey = textAfter(part, ' dstkey=');
  return {
    ...ends,
    ports: portsOf(part, protocol),
    icmp:
      type === undefined
        ? undefined
        : { type, code: numberOf(part, ' code=') ?? 0, id: numberOf(part, ' id=') ?? 0 },
    keys:
      srckey === undefined || dstkey === undefined
        ? undefined
        : { source: srckey, destination: dstkey },
  };
};

/** Whether one of the prefixes contains an address. conntrack and vifwatch both print canonical addresses. */
const membership = (prefixes: readonly Prefix[]): ((address: string) => boolean) => {
  const networks = prefixes.filter((prefix) => !isHost(prefix));
  const known = new Map(prefixes.filter(isHost).map(({ text }) => [text, true]));
  const isInNetwork = (text: string): boolean => {
    const address = parsePrefix(text);
    return !('problem' in address) && networks.some((network) => contains(network, address));
  };
  return (text) => {
    const found = known.get(text);
    if (found !== undefined || networks.length === 0) return found === true;
    const isIn = isInNetwork(text);
    known.set(text, isIn);
    return isIn;
  };
};

/** A line of a listing that is no flow. */
export type Unreadable = { readonly unreadable: string };

const parseFlow = (
  line: string,
  isWanted: (ends: Ends) => boolean,
): Flow | Unreadable | undefined => {
  const replyAt = line.indexOf(' src=', line.indexOf(' src=') + 1);
  const original = endsOf(line);
  const reply = replyAt < 0 ? undefined : endsOf(line, replyAt);
  const protocol = Number(/^\S+\s+(\d+)\s/.exec(line)?.[1]);
  const id = textAfter(line, ' id=', line.lastIndexOf(' id='));
  if (original === undefined || reply === undefined || Number.isNaN(protocol) || id === undefined)
    return { unreadable: `printed a line that is no flow: ${line}` };
  if (!isWanted(original) && !isWanted(reply)) return undefined;
  return {
    family: original.source.includes(':') ? 6 : 4,
    protocol,
    original: tupleOf(line.slice(0, replyAt), original, protocol),
    reply: tupleOf(line.slice(replyAt), reply, protocol),
    id,
  };
};

/**
 * Returns a function that finds the flows that have an end in the prefixes, in lines of `conntrack -L -o id`.
 * A line that is no flow makes the whole result unreadable, since it may be a flow of the prefixes.
 */
export const flowsOf = (
  prefixes: readonly Prefix[],
): ((lines: readonly string[]) => readonly Flow[] | Unreadable) => {
  const isOneOf = membership(prefixes);
  const isWanted = ({ source, destination }: Ends): boolean =>
    isOneOf(source) || isOneOf(destination);
  return (lines) => {
    const flows: Flow[] = [];
    for (const line of lines) {
      const flow = parseFlow(line, isWanted);
      if (flow === undefined) continue;
      if ('unreadable' in flow) return flow;
      flows.push(flow);
    }
    return flows;
  };
};

/** The addresses of a flow, before and after translation. */
export const addressesOf = ({ original, reply }: Flow): readonly string[] => [
  ...new Set([original.source, original.destination, reply.source, reply.destination]),
];

/** The arguments of `conntrack` that delete exactly this flow. */
export const deletionOf = ({ family, protocol, original, reply }: Flow): string => {
  const { source, destination, ports, icmp, keys } = original;
  const type = family === 6 ? 'icmpv6' : 'icmp';
  return [
    `-D -f ipv${family} -p ${protocol} -s ${source} -d ${destination}`,
    `-r ${reply.source} -q ${reply.destination}`,
    ...(ports ? [`--sport ${ports.source} --dport ${ports.destination}`] : []),
    ...(icmp
      ? [`--${type}-type ${icmp.type} --${type}-code ${icmp.code} --${type}-id ${icmp.id}`]
      : []),
    ...(keys ? [`--srckey ${keys.source} --dstkey ${keys.destination}`] : []),
  ].join(' ');
};

/** The options for the source and destination of a flow's first packet, and for those of its replies. */
const ends = { original: ['-s', '-d'], reply: ['-r', '-q'] } as const;

/**
 * The arguments of `conntrack` that delete every flow with one of its ends in the prefix. conntrack takes a
 * network for the ends of the first packet only.
 */
export const deletionsFor = (prefix: string): readonly string[] => {
  const options = prefix.includes('/') ? ends.original : [...ends.original, ...ends.reply];
  return options.map((end) => `-D -f ipv${prefix.includes(':') ? 6 : 4} ${end} ${prefix}`);
};

/**
 * From this number of forbidden flows on, a vif's address loses all its flows at once if none of them is
 * allowed: each deletion walks the kernel's whole table.
 */
const manyFlows = 100;

/**
 * The arguments of `conntrack` that delete these flows.
 * @param prefixes the vifs' addresses and networks
 * @param spared addresses with a flow that stays
 */
export const deletionsOf = (
  flows: readonly Flow[],
  prefixes: readonly Prefix[],
  spared: ReadonlySet<string>,
): readonly string[] => {
  const counts = new Map<string, number>();
  for (const address of flows.flatMap(addressesOf))
    counts.set(address, (counts.get(address) ?? 0) + 1);
  const hosts = prefixes.map(({ text }) => text).filter((text) => !spared.has(text));
  const whole = new Set(hosts.filter((host) => (counts.get(host) ?? 0) >= manyFlows));
  const single = flows.filter((flow) => !addressesOf(flow).some((address) => whole.has(address)));
  return [...[...whole].flatMap(deletionsFor), ...new Set(single.map(deletionOf))];
};
