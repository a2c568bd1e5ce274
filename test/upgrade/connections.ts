/** TCP connections that stay open, and send data on request. */
import assert from 'node:assert/strict';
import type { SimHost } from '../rig/sim/sim-host.ts';
import type { TiedProcess } from '../rig/sim/tied-process.ts';
import { until } from '../support/until.ts';

/** `serve PORT` echoes all data. `connect TARGET PORT` sends a number at SIGUSR1 and waits for its echo. */
const program = `
import signal, socket, sys, threading
mode, *args = sys.argv[1:]
def serve(stream):
    while data := stream.recv(100):
        stream.sendall(data)
if mode == "serve":
    listener = socket.create_server(("0.0.0.0", int(args[0])))
    print("ready", flush=True)
    while True:
        threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
stream = socket.create_connection((args[0], int(args[1])))
lines = stream.makefile("r")
number = 0
print("ready", flush=True)
while True:
    signal.sigwait([signal.SIGUSR1])
    number += 1
    stream.sendall(b"%d\\n" % number)
    print("back:", lines.readline().strip(), flush=True)
`;

export type Connection = {
  /** Sends a number and waits for its echo. */
  readonly use: () => Promise<void>;
};

let started = 0;

const start = async (
  { sim }: SimHost,
  namespace: string,
  argv: readonly string[],
): Promise<TiedProcess> => {
  started += 1;
  const command = sim.inNamespace(namespace, ['python3', '-c', program, ...argv]);
  const running = sim.start(`connection-${started}`, command, { domid: 0 });
  await says(running, 'ready');
  return running;
};

const says = (running: TiedProcess, line: string): Promise<void> =>
  until(`a connection says "${line}"`, () => {
    if (running.log().split('\n').includes(line)) return true;
    assert.equal(running.child.exitCode, null, running.log());
    return false;
  });

export const serve = async (host: SimHost, namespace: string, port: number): Promise<void> => {
  await start(host, namespace, ['serve', `${port}`]);
};

/** Opens a connection. @param from the namespace of the end that opens it */
export const connect = async (
  host: SimHost,
  from: string,
  target: string,
  port: number,
): Promise<Connection> => {
  const running = await start(host, from, ['connect', target, `${port}`]);
  let uses = 0;
  return {
    use: async () => {
      uses += 1;
      running.child.kill('SIGUSR1');
      await says(running, `back: ${uses}`);
    },
  };
};
