/** A tracked flow, as `conntrack -L` prints it and `conntrack -D` takes it. */
import { contains, type Family, isHost, type Prefix, parsePrefix } from './prefix.ts';

/** The direction in which it began. */
export type Flow = {
  readonly family: Family;
  /** By name where conntrack has one, else by number. */
  readonly protocol: string;
  readonly source: string;
  readonly destination: string;
  readonly ports: { readonly source: number; readonly destination: number } | undefined;
  readonly icmp: { readonly type: number; readonly code: number; readonly id: number } | undefined;
  /** Whether a port forwarding of the uplink let it in. */
  readonly isForwarded: boolean;
};

const number = (text: string | undefined): number | undefined =>
  text === undefined ? undefined : Number(text);

/** The first value of each key is of the original direction, the second of the replies. */
const values = (line: string, key: string): string[] =>
  [...line.matchAll(new RegExp(` ${key}=(\\S+)`, 'g'))].map(([, value]) => value ?? '');

const parseFlow = (line: string): Flow | undefined => {
  const protocol = /^(\S+)\s+\d+\s/.exec(line)?.[1];
  const first = (key: string) => values(line, key)[0];
  const source = first('src');
  const destination = first('dst');
  if (protocol === undefined || source === undefined || destination === undefined) return undefined;
  const sport = number(first('sport'));
  const dport = number(first('dport'));
  const type = number(first('type'));
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
        : { type, code: number(first('code')) ?? 0, id: number(first('id')) ?? 0 },
    isForwarded: values(line, 'src')[1] !== destination,
  };
};

/** @param text what `conntrack -L` printed */
export const parseFlows = (text: string): Flow[] =>
  text.split('\n').flatMap((line) => parseFlow(line) ?? []);

/** Tells flows from or to the addresses and prefixes. Both conntrack and we print an address in its one canonical form. */
export const flowsOf = (prefixes: readonly Prefix[]): ((flow: Flow) => boolean) => {
  const hosts = new Set(prefixes.filter(isHost).map(({ text }) => text));
  const networks = prefixes.filter((prefix) => !isHost(prefix));
  const isOneOf = (text: string): boolean => {
    if (hosts.has(text)) return true;
    if (networks.length === 0) return false;
    const address = parsePrefix(text);
    return !('problem' in address) && networks.some((network) => contains(network, address));
  };
  return ({ source, destination }) => isOneOf(source) || isOneOf(destination);
};

/** The arguments after `conntrack` that forget exactly this flow. */
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
