/** A name server beyond the uplink that answers for IPv4 and IPv6, each with a TTL of its own. */
import type { SimHost } from '../../rig/sim/sim-host.ts';
import { until } from '../../support/until.ts';
import { receiveQuery, useNameServers } from './name-server.ts';

type Entry = {
  readonly a: readonly string[];
  readonly aaaa?: readonly string[];
  readonly aTtl: number;
  readonly aaaaTtl?: number;
  /** The number of queries for AAAA after which each gets SERVFAIL. */
  readonly aaaaFailsAfter?: number;
};

/** Answers each query with the next address of its family in turn. */
const program = `
import json, socket, struct, sys
address, zone = sys.argv[1:]
zone = json.loads(zone)
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind((address, 53))
print('ready', flush=True)
turns = {}
while True:
    ${receiveQuery}
    name = '.'.join(labels).lower()
    entry = zone.get(name)
    key = {1: 'a', 28: 'aaaa'}.get(kind, '')
    found = (entry or {}).get(key, [])
    if found:
        turn = turns.get((name, key), 0)
        turns[(name, key)] = turn + 1
        found = [found[turn % len(found)]]
    ttl = (entry or {}).get(key + 'Ttl', 5)
    family = socket.AF_INET6 if key == 'aaaa' else socket.AF_INET
    code = 3 if entry is None else 0
    if key == 'aaaa' and turns.get((name, key), 0) > (entry or {}).get('aaaaFailsAfter', 1e9):
        code, found = 2, []
    data = [socket.inet_pton(family, one) for one in found]
    header = query[:2] + struct.pack('!HHHHH', 0x8180 | code, 1, len(data), 0, 0)
    records = b''.join(struct.pack('!HHHIH', 0xc00c, kind, 1, ttl, len(one)) + one for one in data)
    print(name, key, 'fails' if code == 2 else found, flush=True)
    server.sendto(header + query[12:end] + records, peer)
`;

/**
 * Starts the name server, and makes it net-vm's only one; resolves with a function that gives its log. Call
 * it before the daemon starts.
 */
export const startFamilyNameServer = async (
  host: SimHost,
  address: string,
  zone: Readonly<Record<string, Entry>>,
): Promise<() => string> => {
  await useNameServers(host, [address]);
  const { sim } = host;
  const argv = sim.inNamespace('world', ['python3', '-c', program, address, JSON.stringify(zone)]);
  const server = sim.start('family-name-server', argv, { domid: 0 });
  await until('the name server listens', () => server.log().startsWith('ready'));
  return () => server.log();
};
