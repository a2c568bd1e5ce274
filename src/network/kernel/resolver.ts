/** DNS lookups at the name servers of /etc/resolv.conf. */
import { Resolver } from 'node:dns/promises';

export type Resolution = {
  /** IPv4 and IPv6 addresses. */
  readonly addresses: readonly string[];
  /** The lowest TTL of the answers, in seconds. */
  readonly ttlS: number;
};

/** Two tries of 3 s. If the name server stays silent for longer, the next refresh asks it again. */
const options = { timeout: 3_000, tries: 2 };

/** The addresses of the name servers, without ports. */
export const nameServers = (): readonly string[] =>
  // Node prints a port other than 53 as in "[2001:db8::1]:5353" or "192.0.2.1:5353".
  new Resolver()
    .getServers()
    .map((server) => /^\[(.*)\]/.exec(server)?.[1] ?? server.replace(/^([\d.]+):\d+$/, '$1'));

/** All addresses of a name; undefined if the lookup found none, for any reason. */
export const resolveHost = async (name: string): Promise<Resolution | undefined> => {
  // A new resolver for each lookup, since a resolver reads resolv.conf only once.
  const resolver = new Resolver(options);
  const answers = await Promise.allSettled([
    resolver.resolve4(name, { ttl: true }),
    resolver.resolve6(name, { ttl: true }),
  ]);
  const records = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
  if (records.length === 0) return undefined;
  return {
    addresses: [...new Set(records.map(({ address }) => address))].sort(),
    ttlS: Math.min(...records.map(({ ttl }) => ttl)),
  };
};
