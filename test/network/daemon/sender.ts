/** Sends raw frames from a guest with Python, since Node has no raw sockets. */
import assert from 'node:assert/strict';
import type { SimHost } from '../../rig/sim/sim-host.ts';
import { namespaceOf } from '../../rig/sim/topology.ts';
import { hangMs, until } from '../../support/until.ts';

/**
 * Sends all frames again and again until the time is over or SIGTERM comes. It keeps trying while the link
 * does not exist or takes no frames.
 */
const program = `
import signal, socket, sys, time
link, seconds, *frames = sys.argv[1:]
frames = [bytes.fromhex(frame) for frame in frames]
end = time.monotonic() + float(seconds)
sent, out = 0, None
def stop(*_):
    global end
    end = 0
signal.signal(signal.SIGTERM, stop)
print('ready', file=sys.stderr)
while time.monotonic() < end:
    try:
        if out is None:
            out = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
            out.bind((link, 0))
        for frame in frames:
            out.send(frame)
            sent += 1
    except OSError:
        out = None
    time.sleep(0.001)
print(sent)
`;

const argvOf = (seconds: string, frames: readonly string[]): readonly string[] => [
  ...['python3', '-c', program, 'eth0', seconds],
  ...frames,
];

/** Sends the frames from a guest; resolves with the number of frames that its link took. */
export const flood = async (
  host: SimHost,
  vm: string,
  seconds: number,
  frames: readonly string[],
): Promise<number> => {
  const { status, stdout, stderr } = await host.inVm(vm, argvOf(`${seconds}`, frames));
  assert.equal(status, 0, stderr);
  return Number(stdout);
};

export type Flood = {
  /** Resolves with the number of frames that the guest's link took. */
  readonly stop: () => Promise<number>;
};

/** Starts a flood that lasts until `stop`. */
export const startFlood = async (
  host: SimHost,
  guest: number,
  frames: readonly string[],
): Promise<Flood> => {
  const command = host.sim.inNamespace(namespaceOf(guest), argvOf(`${hangMs / 1000}`, frames));
  const running = host.sim.start(`flood-${guest}`, command, { domid: guest });
  await until('the flood begins', () => running.log().includes('ready'));
  return {
    stop: async () => {
      running.child.kill('SIGTERM');
      await running.ended;
      const [sent] = running.log().match(/\d+\n$/) ?? [];
      assert.ok(sent !== undefined, running.log());
      return Number(sent);
    },
  };
};
