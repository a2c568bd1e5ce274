/** Name servers beyond the uplink: either one whose zone the test may change, or several silent ones. */
import assert from 'node:assert/strict';
import { renameSync, writeFileSync } from 'node:fs';
import type { SimHost } from '../../rig/sim/sim-host.ts';
import { until } from '../../support/until.ts';
import { inWorld } from './transfer.ts';

/** Names and their IPv4 addresses; a name that is not a key does not exist. */
export type Zone = Readonly<Record<string, readonly string[]>>;

/** Python lines of a loop that receive a query, and find its name, its type and the end of the question. */
export const receiveQuery = `query, peer = server.recvfrom(512)
    at, labels = 12, []
    while query[at]:
        labels.append(query[at + 1:at + 1 + query[at]].decode())
        at += 1 + query[at]
    end = at + 5
    kind = struct.unpack('!H', query[at + 1:at + 3])[0]`;

const program = `
import json, socket, struct, sys
address, zone = sys.argv[1:]
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind((address, 53))
print('ready', flush=True)
while True:
    ${receiveQuery}
    found = json.load(open(zone)).get('.'.join(labels).lower())
    answers = [socket.inet_aton(address) for address in found or []] if kind == 1 else []
    code = 3 if found is None else 0
    header = query[:2] + struct.pack('!HHHHH', 0x8180 | code, 1, len(answers), 0, 0)
    records = b''.join(struct.pack('!HHHIH', 0xc00c, 1, 1, 1, 4) + address for address in answers)
    server.sendto(header + query[12:end] + records, peer)
`;

/** Makes net-vm ask only these name servers; call it before the daemon starts. */
export const useNameServers = async (
  { sim }: SimHost,
  addresses: readonly string[],
): Promise<void> => {
  const resolvConf = `${sim.directory}/resolv.conf`;
  writeFileSync(resolvConf, addresses.map((address) => `nameserver ${address}\n`).join(''));
  const mount = sim.inRig(['mount', '--bind', resolvConf, '/etc/resolv.conf']);
  const { status, stderr } = await sim.run(mount, { domid: 0 });
  assert.equal(status, 0, stderr);
};

/** Starts a name server and makes net-vm ask it; the result replaces its zone. */
export const startNameServer = async (
  host: SimHost,
  address: string,
): Promise<(zone: Zone) => void> => {
  const { sim } = host;
  const zoneFile = `${sim.directory}/zone.json`;
  const setZone = (zone: Zone): void => {
    writeFileSync(`${zoneFile}.new`, JSON.stringify(zone));
    renameSync(`${zoneFile}.new`, zoneFile);
  };
  setZone({});
  await useNameServers(host, [address]);
  const argv = sim.inNamespace('world', ['python3', '-c', program, address, zoneFile]);
  const server = sim.start('name-server', argv, { domid: 0 });
  await until('the name server listens', () => server.log().startsWith('ready'));
  return setZone;
};

/** They keep a resolver busy for about a minute: it asks each in turn and waits 3 s, then again 6 s. */
const silentServers = Array.from(Array(8), (_, index) => `198.51.100.${index + 1}`);

/** Makes net-vm ask several name servers that never answer. */
export const useSilentNameServers = async (host: SimHost): Promise<void> => {
  await useNameServers(host, silentServers);
  const chain = 'type filter hook prerouting priority 0; udp dport 53 counter drop;';
  const { status, stderr } = await inWorld(host, [
    'nft',
    `table ip silence { chain queries { ${chain} }; }`,
  ]);
  assert.equal(status, 0, stderr);
};

/** The number of queries that were sent to the silent name servers. */
export const silencedQueries = async (host: SimHost): Promise<number> => {
  const { stdout } = await inWorld(host, ['nft', 'list', 'table', 'ip', 'silence']);
  return Number(/counter packets (\d+)/.exec(stdout)?.[1]);
};
