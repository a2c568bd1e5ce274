/** Parses the flows that `conntrack -L` prints, and builds the arguments of `conntrack -D`. */
import { contains, type Family, isHost, type Prefix, parsePrefix } from '../../address/prefix.ts';

/** A tracked flow, in the direction of its first packet. */
export type Flow = {
  readonly family: Family;
  /** The name that conntrack prints for the protocol, else its number. */
  readonly protocol: string;
  readonly source: string;
  readonly destination: string;
  readonly ports: { readonly source: number; readonly destination: number } | undefined;
  readonly icmp: { readonly type: number; readonly code: number; readonly id: number } | undefined;
  /** Whether it came through a forwarded port of the uplink. */
  readonly isForwarded: boolean;
};

/**
 * The first value of a key, which belongs to the original direction; the second belongs to the replies. It
 * uses no regular expression: a table can have hundreds of thousands of lines, and the daemon serves no vif
 * meanwhile.
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

type Ends = Pick<Flow, 'source' | 'destination'>;

const endsOf = (line: string): Ends | undefined => {
  const source = textAfter(line, ' src=');
  const destination = textAfter(line, ' dst=');
  return source === undefined || destination === undefined ? undefined : { source, destination };
};

const parseFlow = (line: string, { source, destination }: Ends): Flow | undefined => {
  const protocol = /^(\S+)\s+\d+\s/.exec(line)?.[1];
  if (protocol === undefined) return undefined;
  const sport = numberOf(line, ' sport=');
  const dport = numberOf(line, ' dport=');
  const type = numberOf(line, ' type=');
  const replySource = textAfter(line, ' src=', line.indexOf(' src=') + 1);
  return {
    family: source.includes(':') ? 6 : 4,
    protocol,
    source,
    destination,
    ports:
      sport === undefined || dport === undefined
        ? undefined
        : { source: sport, destination: dport },
    icmp:
      type === undefined
        ? undefined
        : { type, code: numberOf(line, ' code=') ?? 0, id: numberOf(line, ' id=') ?? 0 },
    isForwarded: replySource !== destination,
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

/** Returns a function that finds the flows from or to the prefixes in lines of `conntrack -L`. */
export const flowsOf = (prefixes: readonly Prefix[]): ((lines: readonly string[]) => Flow[]) => {
  const isOneOf = membership(prefixes);
  return (lines) =>
    lines.flatMap((line) => {
      const ends = endsOf(line);
      if (ends === undefined || !(isOneOf(ends.source) || isOneOf(ends.destination))) return [];
      return parseFlow(line, ends) ?? [];
    });
};

/** The arguments of `conntrack` that delete exactly this flow. */
export const deletionOf = ({ family, protocol, source, destination, ports, icmp }: Flow): string =>
  [
    `-D -f ipv${family} -p ${protocol} -s ${source} -d ${destination}`,
    ...(ports ? [`--sport ${ports.source} --dport ${ports.destination}`] : []),
    ...(icmp
      ? [
          `--icmp${family === 6 ? 'v6' : ''}-type ${icmp.type}`,
          `--icmp${family === 6 ? 'v6' : ''}-code ${icmp.code}`,
          `--icmp${family === 6 ? 'v6' : ''}-id ${icmp.id}`,
        ]
      : []),
  ].join(' ');
