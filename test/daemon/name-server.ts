/** A name server beyond the uplink, whose zone the test may change at any time. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import type { SimHost } from '../rig/sim/sim-host.ts';
import { until } from '../support/until.ts';

/** Names to IPv4 addresses; a name that is not in it does not exist. */
export type Zone = Readonly<Record<string, readonly string[]>>;

const program = `
import json, socket, struct, sys
address, zone = sys.argv[1:]
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind((address, 53))
while True:
    query, peer = server.recvfrom(512)
    at, labels = 12, []
    while query[at]:
        labels.append(query[at + 1:at + 1 + query[at]].decode())
        at += 1 + query[at]
    end = at + 5
    kind = struct.unpack('!H', query[at + 1:at + 3])[0]
    found = json.load(open(zone)).get('.'.join(labels).lower())
    answers = [socket.inet_aton(one) for one in found or []] if kind == 1 else []
    code = 3 if found is None else 0
    header = query[:2] + struct.pack('!HHHHH', 0x8180 | code, 1, len(answers), 0, 0)
    records = b''.join(struct.pack('!HHHIH', 0xc00c, 1, 1, 1, 4) + one for one in answers)
    server.sendto(header + query[12:end] + records, peer)
`;

/** Starts it, and has net-vm ask it and nobody else; to be called before the daemon starts. */
export const startNameServer = async (host: SimHost, address: string) => {
  const { sim } = host;
  const zoneFile = `${sim.directory}/zone.json`;
  const resolvConf = `${sim.directory}/resolv.conf`;
  const setZone = (zone: Zone): void => writeFileSync(zoneFile, JSON.stringify(zone));
  setZone({});
  writeFileSync(resolvConf, `nameserver ${address}\n`);
  const mount = sim.inRig(['mount', '--bind', resolvConf, '/etc/resolv.conf']);
  const { status, stderr } = await sim.run(mount, { domid: 0 });
  assert.equal(status, 0, stderr);
  const argv = sim.inNamespace('world', ['python3', '-c', program, address, zoneFile]);
  const server = sim.start('name-server', argv, { domid: 0 });
  await until('the name server listens', async () => {
    const udp = await sim.run(sim.inNamespace('world', ['cat', '/proc/net/udp']), { domid: 0 });
    return udp.stdout.includes(':0035 ');
  });
  return { setZone, kill: () => server.child.kill('SIGKILL') };
};
