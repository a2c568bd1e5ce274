/** DNS, by the name servers of /etc/resolv.conf. */
import { Resolver } from 'node:dns/promises';

export type Resolution = {
  /** IPv4 and IPv6. */
  readonly addresses: readonly string[];
  /** For how many seconds that may be believed. */
  readonly ttlS: number;
};

/** Two tries of 3 s: a name server that is silent for longer is tried again with the next refresh. */
const options = { timeout: 3_000, tries: 2 };

/** All addresses of a name; undefined if none was found, whatever the reason. */
export const resolveHost = async (name: string): Promise<Resolution | undefined> => {
  // A new one each time, as it reads resolv.conf only once.
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
