/** DNS lookups at the name servers of /etc/resolv.conf. */
import { Resolver } from 'node:dns/promises';
import type { Family } from '../../address/prefix.ts';
import type { Answer } from '../policy/name-addresses.ts';

/** Two tries of 3 s. If the name server stays silent for longer, the next refresh asks it again. */
const options = { timeout: 3_000, tries: 2 };

/** The addresses of the name servers, without ports. */
export const nameServers = (): readonly string[] =>
  // Node prints a port other than 53 as in "[2001:db8::1]:5353" or "192.0.2.1:5353".
  new Resolver()
    .getServers()
    .map((server) => /^\[(.*)\]/.exec(server)?.[1] ?? server.replace(/^([\d.]+):\d+$/, '$1'));

/** The codes of an answer that names no address: the name, or its records of this family, do not exist. */
const absent: readonly (string | undefined)[] = ['ENOTFOUND', 'ENODATA'];

/** Asks once for the addresses of a name in one family. Never rejects. */
export const resolveHost = async (name: string, family: Family): Promise<Answer> => {
  // A new resolver for each lookup, since a resolver reads resolv.conf only once.
  const resolver = new Resolver(options);
  try {
    const found = await (family === 4
      ? resolver.resolve4(name, { ttl: true })
      : resolver.resolve6(name, { ttl: true }));
    if (found.length === 0) return { kind: 'none' };
    const records = found.map(({ address, ttl }) => ({ address, ttlS: ttl }));
    return { kind: 'addresses', records };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return { kind: absent.includes(code) ? 'none' : 'failed' };
  }
};
