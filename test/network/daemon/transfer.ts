/** A TCP connection from a guest to a machine beyond the uplink, with much data in both directions. */
import assert from 'node:assert/strict';
import type { Output } from '../../rig/host.ts';
import type { SimHost } from '../../rig/sim/sim-host.ts';
import { slowness } from '../../support/slowness.ts';
import { until } from '../../support/until.ts';
import { guestVm } from './net-vm.ts';

const bytes = 200_000;
/** A transfer is stalled after this time without progress: retransmissions come after 0.2, 0.6 and 1.4 s. */
const stallSeconds = 2;
const port = 5002;

const server = `
import socket, sys
family = socket.AF_INET6 if ':' in sys.argv[1] else socket.AF_INET
listener = socket.socket(family)
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind((sys.argv[1], ${port}))
listener.listen()
print('ready', flush=True)
stream, _ = listener.accept()
stream.settimeout(float(sys.argv[2]))
got = 0
try:
    while got < ${bytes}:
        part = stream.recv(65536)
        if not part: sys.exit()
        got += len(part)
    stream.sendall(b'x' * ${bytes})
except (TimeoutError, ConnectionError):
    pass
`;

const client = `
import socket, sys
stream = socket.create_connection((sys.argv[1], ${port}))
stream.settimeout(float(sys.argv[2]))
try:
    stream.sendall(b'x' * ${bytes})
    got = 0
    while got < ${bytes}:
        part = stream.recv(65536)
        if not part: raise TimeoutError # the server has given up
        got += len(part)
    print('complete')
except TimeoutError:
    print('stalled')
`;

/** Runs a program on the machine beyond the uplink. */
export const inWorld = ({ sim }: SimHost, argv: readonly string[]): Promise<Output> =>
  sim.run(sim.inNamespace('world', argv), { domid: 0 });

let started = 0;

/** Uploads, then downloads; the transfer is complete if both reach their end. */
export const transfer = async (host: SimHost, to: string): Promise<'complete' | 'stalled'> => {
  started += 1;
  const ends = [to, `${stallSeconds * (await slowness())}`];
  const command = host.sim.inNamespace('world', ['python3', '-c', server, ...ends]);
  const serving = host.sim.start(`transfer-${started}`, command, { domid: 0 });
  await until('the server listens', () => serving.log().startsWith('ready'));
  const { status, stdout, stderr } = await host.inVm(guestVm.name, [
    'python3',
    '-c',
    client,
    ...ends,
  ]);
  assert.equal(status, 0, stderr);
  await serving.ended;
  return stdout.trim() === 'complete' ? 'complete' : 'stalled';
};
